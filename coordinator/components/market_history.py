"""All pairs' candles side by side, with the features, labels and signals that are computed from them once.

Everything here is a pure, causal function of candles, so it is computed on whole histories and cut by time afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coordinator.decision.outcomes import resolve_outcomes
from coordinator.learning.blocks import Block, label_ends
from coordinator.learning.fusion_models import Table, feature_table
from coordinator.learning.labels import direction_labels
from coordinator.learning.quality import QualityRows, pool_rows
from coordinator.settings import Settings
from coordinator.settings.learning import LearningSettings
from coordinator.signals.candles import Candles
from coordinator.signals.features import FEATURES
from coordinator.signals.fusion import TIMEFRAMES
from coordinator.signals.pair_view import PairView, make_pair_view
from coordinator.signals.regime import Regime, compute_regime
from coordinator.signals.signal_features import SignalFeatures, signal_features
from coordinator.signals.technical import Technical, compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance
from coordinator.types import Floats, Ints, Times

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
        """Training rows of [begin, end), seconds; labels that need a candle closing after ``end`` are NaN."""
        candles = self.candles[BASE]
        ends = label_ends(candles.time, settings.label_horizon)
        known = ends + candles.seconds <= end
        labels = np.where(known, direction_labels(candles, settings), np.nan)
        rows = (candles.time >= begin) & (candles.time < end)
        return Block(self.tables[BASE][rows], labels[rows], candles.time[rows], label_end=ends[rows])


class MarketHistory:
    """The pairs' histories, and the signals of all of them.

    Parameters
    ----------
    pairs : mapping of pair to PairHistory
    settings : Settings
        Of the baseline, stops, targets and costs: what a signal is and what became of it.
    """

    def __init__(self, pairs: Mapping[str, PairHistory], settings: Settings) -> None:
        self.pairs, self._settings = pairs, settings
        self._technical: dict[str, Technical] = {}
        self._regime: dict[str, Regime] = {}

    def technical(self, pair: str) -> Technical:
        """A pair's baseline, computed once."""
        if pair not in self._technical:
            candles = self.pairs[pair].candles[BASE]
            self._technical[pair] = compute_technical(candles, self._settings.baseline)
        return self._technical[pair]

    def regime(self, pair: str) -> Regime:
        """A pair's market state, computed once."""
        if pair not in self._regime:
            self._regime[pair] = compute_regime(self.pairs[pair].candles[BASE], self._settings.regime)
        return self._regime[pair]

    def signal_times(self, pair: str) -> Times:
        """Open times of the candles with a signal."""
        times: Times = self.pairs[pair].candles[BASE].time[np.flatnonzero(self.technical(pair).signal)]
        return times

    @cached_property
    def views(self) -> dict[str, PairView]:
        """What the features of signals are computed from."""
        return {pair: self._view(pair, history.candles) for pair, history in self.pairs.items()}

    @cached_property
    def signals(self) -> dict[str, SignalFeatures]:
        """Features of every pair's signals."""
        leader = next((pair for pair in sorted(self.pairs) if pair.startswith("BTC/")), None)
        return signal_features(self.views, leader)

    @cached_property
    def quality_rows(self) -> QualityRows:
        """Features and outcomes of all signals. Outcomes reach past a training's end: ``retrain`` cuts them."""
        s = self._settings
        outcomes = {
            pair: resolve_outcomes(
                view.candles,
                view.index,
                view.direction,
                view.stop_distance[view.index],
                view.target_distance[view.index],
                s.targets.horizon,
                s.costs,
            )
            for pair, view in self.views.items()
        }
        return pool_rows(self.views, self.signals, outcomes, s.targets.reward_risk)

    def _view(self, pair: str, candles: Mapping[str, Candles]) -> PairView:
        s, base, technical = self._settings, candles[BASE], self.technical(pair)
        stop = initial_stop_distance(base, technical.signal, s.stops)
        target = target_distance(stop, technical.signal, s.targets, s.costs)
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
