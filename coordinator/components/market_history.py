"""All pairs' candles side by side, with the features, labels and signals that are computed from them once.

Everything here is a pure, causal function of candles, so it is computed on whole histories and cut by time afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coordinator.learning.blocks import Block, label_ends
from coordinator.learning.labels import direction_labels
from coordinator.learning.panel import panel_rows
from coordinator.learning.quality_rows import QualityRows, pool_rows
from coordinator.settings import Settings
from coordinator.settings.learning import LearningSettings
from coordinator.signals.breaks import crosses_break
from coordinator.signals.candles import Candles, timeframe_seconds
from coordinator.signals.clock import Clock, clock_candles
from coordinator.signals.feature_table import Table, feature_table
from coordinator.signals.features import FEATURES
from coordinator.signals.fusion import TIMEFRAMES
from coordinator.signals.pair_view import PairView, make_pair_view
from coordinator.signals.panel_features import PanelPair, panel_features
from coordinator.signals.regime import Regime, compute_regime, is_avoided
from coordinator.signals.regime_gate import market_direction
from coordinator.signals.signal_features import SignalFeatures, signal_features
from coordinator.signals.technical import Technical, compute_technical
from coordinator.trade.virtual_trades import planned_distances, virtual_outcomes
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["BASE", "MarketHistory", "PairHistory", "row_positions"]

BASE = "1h"


@dataclass(frozen=True)
class PairHistory:
    """One pair's candles by timeframe ("1h", "4h", "1d"); the higher ones may be empty."""

    candles: Mapping[str, Candles]

    @cached_property
    def tables(self) -> dict[str, Table]:
        """The 31 features of each timeframe, shape (n, 31); NaN while they lack history."""
        return {name: _table(self.candles[name]) for name in TIMEFRAMES}

    def block(self, settings: LearningSettings, begin: int, end: int) -> Block:
        """Training rows of [begin, end), seconds; labels that need a candle closing after ``end`` are NaN.

        Of several horizons the longest decides for all of them, so that an ensemble learns from the same rows.
        """
        candles, longest = self.candles[BASE], settings.longest_horizon
        ends = label_ends(candles.time, longest)
        known = (ends + candles.seconds <= end) & ~crosses_break(candles, longest)
        rows = (candles.time >= begin) & (candles.time < end)
        first, *further = (
            np.where(known, direction_labels(candles, settings.at_horizon(horizon)), np.nan)[rows]
            for horizon in settings.horizons
        )
        return Block(
            self.tables[BASE][rows],
            first,
            candles.time[rows],
            label_end=ends[rows],
            further_labels=dict(zip(settings.ensemble_horizons, further, strict=True)),
        )


class MarketHistory:
    """The pairs' histories, and the signals of all of them.

    Parameters
    ----------
    pairs : mapping of pair to PairHistory
    settings : Settings
        Of the baseline, stops, targets and costs: what a signal is and what became of it.
    can_short : bool
        Whether an account can enter short signals: they are signals all the same.
    """

    def __init__(
        self, pairs: Mapping[str, PairHistory], settings: Settings, *, can_short: bool = True
    ) -> None:
        self._can_short = can_short
        self.pairs, self._settings = pairs, settings.on_clock(settings.clock_names[0])
        self._all_clocks = settings
        self._on_clocks: dict[str, MarketHistory] = {}
        self._technical: dict[str, Technical] = {}
        self._regime: dict[str, Regime] = {}
        self._enterable: dict[str, Bools] = {}

    def on_clock(self, name: str) -> MarketHistory:
        """The same candles read on another of several clocks; this one is read on the slowest."""
        if name == self._settings.baseline.clock:
            return self
        if name not in self._on_clocks:
            own = self._all_clocks.on_clock(name)
            self._on_clocks[name] = MarketHistory(self.pairs, own, can_short=self._can_short)
        return self._on_clocks[name]

    def technical(self, pair: str) -> Technical:
        """A pair's baseline, computed once."""
        if pair not in self._technical:
            baseline, candles = self._settings.baseline, self.pairs[pair].candles[BASE]
            self._technical[pair] = compute_technical(candles, baseline, self.clock_candles(pair))
        return self._technical[pair]

    def clock_candles(self, pair: str) -> Candles | None:
        """A pair's candles of the baseline's clock; None where those are the base candles."""
        candles = self.pairs[pair].candles
        return clock_candles(self._settings.baseline.clock, candles[BASE], candles)

    def regime(self, pair: str) -> Regime:
        """A pair's market state, computed once."""
        if pair not in self._regime:
            self._regime[pair] = compute_regime(self.pairs[pair].candles[BASE], self._settings.regime)
        return self._regime[pair]

    def signal_times(self, pair: str) -> Times:
        """Open times of the candles with a signal."""
        times: Times = self.pairs[pair].candles[BASE].time[np.flatnonzero(self.technical(pair).signal)]
        return times

    def enterable(self, pair: str) -> Bools:
        """Candles with a signal that an account can enter as far as trading mode and settings say, shape (n_candles,).

        A gate whose reference pair is not among the pairs lets everything through.
        """
        if pair not in self._enterable:
            s, technical, candles = self._settings, self.technical(pair), self.pairs[pair].candles[BASE]
            can = (technical.signal != 0) & (self._can_short | (technical.signal > 0))
            reference = s.regime.reference or self._leader
            if s.regime.gate == "on" and reference is not None and reference in self.pairs:
                read = (
                    self.pairs[reference].candles[BASE],
                    self.clock_candles(reference),
                    s.regime.gate_average,
                )
                can &= market_direction(candles, *read) == technical.signal
            if s.regime.avoid_mode == "on" and s.regime.avoid:
                can &= ~is_avoided(self.regime(pair), s.regime.avoid)
            if s.baseline.rearm == "shadow":
                can &= ~technical.rearmed
            self._enterable[pair] = can
        return self._enterable[pair]

    @cached_property
    def views(self) -> dict[str, PairView]:
        """What the features of signals are computed from."""
        return {pair: self._view(pair, history.candles) for pair, history in self.pairs.items()}

    @cached_property
    def signals(self) -> dict[str, SignalFeatures]:
        """Features of every pair's signals."""
        return signal_features(self.views, self._leader)

    @cached_property
    def panel(self) -> dict[str, Floats]:
        """Features of every pair at each candle of the baseline's clock, shape (n, n_features)."""
        pairs = {pair: PanelPair(self.clock_of(pair), h.candles[BASE]) for pair, h in self.pairs.items()}
        return panel_features(pairs, self._leader)

    @property
    def _leader(self) -> str | None:
        return next((pair for pair in sorted(self.pairs) if pair.startswith("BTC/")), None)

    def clock_of(self, pair: str) -> Candles:
        """A pair's candles of the baseline's clock, which may be the base candles."""
        own = self.clock_candles(pair)
        return self.pairs[pair].candles[BASE] if own is None else own

    def panel_at(self, pair: str, times: Times) -> Floats:
        """The panel's features of a pair as known at the close of some of its base candles; NaN where unknown."""
        base, panel = self.pairs[pair].candles[BASE], self.panel[pair]
        rows = row_positions(base.time, times)
        known = Clock.of(base, self.clock_candles(pair)).closed[np.maximum(rows, 0)]
        present = (rows >= 0) & (known >= 0)
        out = np.full((len(times), panel.shape[1]), np.nan)
        out[present] = panel[known[present]]
        return out

    @cached_property
    def quality_rows(self) -> QualityRows:
        """What signal quality learns from. Outcomes reach past a training's end: ``retrain`` cuts them."""
        s = self._settings
        if s.quality.samples == "panel":
            clocks = {pair: self.clock_of(pair) for pair in self.pairs}
            return panel_rows(clocks, self.panel, s.quality.panel_horizon, timeframe_seconds(BASE))
        outcomes = {
            pair: virtual_outcomes(
                view.candles,
                view.technical,
                view.index,
                view.direction,
                view.stop_distance[view.index],
                view.target_distance[view.index],
                s,
            )
            for pair, view in self.views.items()
        }
        return pool_rows(self.views, self.signals, outcomes, s.targets.reward_risk)

    def _view(self, pair: str, candles: Mapping[str, Candles]) -> PairView:
        s, base, technical = self._settings, candles[BASE], self.technical(pair)
        stop, target = planned_distances(base, technical.signal, s, self.clock_candles(pair))
        higher = {name: candles[name] for name in TIMEFRAMES if name != BASE}
        return make_pair_view(base, technical, higher, stop, target, s)


def row_positions(times: Times, wanted: Times) -> Ints:
    """Row of each wanted time among ascending times, -1 where it is missing."""
    rows = np.searchsorted(times, wanted)
    present = rows < len(times)
    present[present] = times[rows[present]] == wanted[present]
    return np.where(present, rows, -1).astype(np.int64)


def _table(candles: Candles) -> Floats:
    return feature_table(candles) if len(candles) else np.zeros((0, len(FEATURES)))
