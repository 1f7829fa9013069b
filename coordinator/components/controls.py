"""Controls in the components' place: what ML must beat (DESIGN.md 6).

A control speaks where the component would, through the same vote, weights and gates. "constant" says the same of every
signal, "noise" draws a score for each pair and day, "shuffled" is the component itself, trained and promoted on labels
that were dealt out at random among the rows of its training.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np

from coordinator.components.component import ActiveModel, Component, TrainingResult, Window
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.learning.blocks import Block
from coordinator.learning.controls import constant_scores, noise_scores, shuffled_outcomes
from coordinator.learning.promotion import Verdict
from coordinator.learning.quality_rows import QualityRows
from coordinator.settings import Settings
from coordinator.settings.learning import LearningSettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.feature_table import Table
from coordinator.types import SECONDS_PER_DAY, Floats, Times

__all__ = ["CONTROLS", "ControlKind", "control_components"]

ControlKind = Literal["constant", "noise", "shuffled"]
CONTROLS: Final[tuple[ControlKind, ...]] = ("constant", "noise", "shuffled")
HOLD: Final = 0.2  # a control network's probability of HOLD; the rest is BUY's and SELL's


def control_components(
    components: Mapping[str, Component], kind: ControlKind, seed: int, settings: Settings
) -> dict[str, Component]:
    """A control in each voting component's place; slots are divided by expected R, as without a policy."""
    components = {name: one for name, one in components.items() if name != "slots"}
    if kind == "shuffled":
        return {name: ShuffledComponent(one, seed, settings) for name, one in components.items()}
    score = _constant if kind == "constant" else _noise
    return {name: ScoreComponent(one, kind, seed, score) for name, one in components.items()}


def _constant(_: Sequence[int], count: int) -> Floats:
    return constant_scores(np.array([0.5]), count)


def _noise(seeds: Sequence[int], count: int) -> Floats:
    return noise_scores(count, list(seeds))


@dataclass
class ScoreComponent:
    """Scores that know nothing, in a component's columns."""

    component: Component
    kind: str
    seed: int
    score: Callable[[Sequence[int], int], Floats]

    def __post_init__(self) -> None:
        self.name, self.columns = self.component.name, self.component.columns

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        """Nothing is learnt; the control speaks from the window's end on."""
        active = previous or ActiveModel(None, window.end, window.end)
        nan = float("nan")
        verdict = Verdict(previous is None, f"a control: {self.kind}", nan, nan, nan, nan)
        return TrainingResult(
            active, verdict, self.kind, "", b"", window.begin, window.end, 0, FeatureSchema((), 0)
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        """Nothing to prepare."""

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        """A score a day in 0..1 as probabilities, as a view, or as signal quality."""
        days = times // SECONDS_PER_DAY
        seeds = self.seed, zlib.crc32(self.name.encode()), zlib.crc32(pair.encode())
        last = int(days.max()) + 1 if len(days) else 0
        daily = self.score(seeds, last)  # from 1970 on: whatever part is asked for, a day has its score
        u = daily[days]
        if len(self.columns) == 1:
            return u[:, None]
        if self.name == "fusion":
            return np.column_stack([np.sign(u - 0.5), np.maximum(abs(2 * u - 1), 1e-6), 2 * u - 1])
        return np.column_stack([np.full(len(u), HOLD), (1 - HOLD) * u, (1 - HOLD) * (1 - u)])


class ShuffledComponent:
    """A component trained on a window whose labels were shuffled; it predicts from the market as it is."""

    def __init__(self, component: Component, seed: int, settings: Settings) -> None:
        self._component, self._seed, self._settings = component, seed, settings
        self.name, self.columns = component.name, component.columns

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        """Train on the shuffled window."""
        seeds = self._seed, zlib.crc32(self.name.encode()), window.end
        pairs = {
            pair: ShuffledPair(history.candles, history, (*seeds, zlib.crc32(pair.encode())), window.end)
            for pair, history in window.pairs.items()
        }
        market = ShuffledMarket(window.market, self._settings, seeds, window.end)
        return self._component.train(replace(window, pairs=pairs, market=market), previous)

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        """As the component."""
        self._component.prepare(pair, times, market)

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        """As the component."""
        return self._component.predict(active, pair, times, market)


@dataclass(frozen=True)
class ShuffledPair(PairHistory):
    """A pair whose training rows have each other's labels.

    The networks' labels are shuffled; the fusion's models make theirs from the candles, so they get the features
    shuffled instead, which breaks the same tie.
    """

    history: PairHistory
    seeds: tuple[int, ...]
    end: int

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Features whose known rows before the window's end were shuffled among themselves."""
        rng, out = np.random.default_rng(self.seeds), {}
        for name, table in self.history.tables.items():
            rows = np.flatnonzero(np.isfinite(table).all(axis=1) & (self.candles[name].time < self.end))
            out[name] = table.copy()
            out[name][rows] = table[rng.permutation(rows)]
        return out

    def block(self, settings: LearningSettings, begin: int, end: int) -> Block:
        """The training rows with their labels shuffled."""
        block = self.history.block(settings, begin, end)
        known = np.flatnonzero(np.isfinite(block.labels))
        labels = block.labels.copy()
        labels[known] = block.labels[np.random.default_rng(self.seeds).permutation(known)]
        return replace(block, labels=labels)


class ShuffledMarket(MarketHistory):
    """A market whose signal-quality rows known before the window's end have each other's outcomes."""

    def __init__(self, market: MarketHistory, settings: Settings, seeds: tuple[int, ...], end: int) -> None:
        super().__init__(market.pairs, settings)
        self._market, self._seeds, self._end = market, seeds, end

    def on_clock(self, name: str) -> MarketHistory:
        """The clock's market, shuffled likewise."""
        return ShuffledMarket(self._market.on_clock(name), self._all_clocks, self._seeds, self._end)

    @property
    def quality_rows(self) -> QualityRows:
        """The rows with their outcomes shuffled."""
        rows = self._market.quality_rows
        known = np.flatnonzero(rows.known_before(self._end))
        return shuffled_outcomes(rows, known, np.random.default_rng(self._seeds))
