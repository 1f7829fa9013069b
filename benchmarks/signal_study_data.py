"""Real signals for the study of signal quality: features and outcomes of pooled spot pairs, from Freqtrade's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from coordinator.decision.outcomes import Outcomes, resolve_outcomes
from coordinator.learning.quality_rows import QualityRows, pool_rows
from coordinator.settings import Settings
from coordinator.settings.trade import TargetSettings
from coordinator.signals.candles import Candles
from coordinator.signals.pair_view import PairView, make_pair_view
from coordinator.signals.signal_features import SignalFeatures, signal_features
from coordinator.signals.technical import compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance

PAIRS = ("BTC", "ETH", "SOL", "ADA", "XRP", "LTC", "LINK", "DOGE")
HOURS = {"1h": 1, "4h": 4, "1d": 24}


@dataclass(frozen=True)
class Signals:
    """All pairs' views up to a date, and the features of their signals."""

    views: dict[str, PairView]
    features: dict[str, SignalFeatures]

    @property
    def count(self) -> int:
        return sum(len(features.index) for features in self.features.values())

    def rows(self, reward_risk: float, horizon: int) -> QualityRows:
        """All features with the outcomes of one target and horizon."""
        outcomes = {pair: _outcomes(view, reward_risk, horizon) for pair, view in self.views.items()}
        return pool_rows(self.views, self.features, outcomes, reward_risk)


def load_signals(folder: Path, until: str) -> Signals:
    """Read the pairs' candles that closed by ``until`` and compute their signals' features."""
    settings, views = Settings(), {}
    for name in PAIRS:
        candles = {timeframe: _candles(folder, name, timeframe, until) for timeframe in HOURS}
        technical = compute_technical(candles["1h"], settings.baseline)
        stop = initial_stop_distance(candles["1h"], technical.signal, settings.stops)
        target = target_distance(stop, technical.signal, settings.targets, settings.costs)
        higher = {timeframe: candles[timeframe] for timeframe in ("4h", "1d")}
        views[f"{name}/USDT"] = make_pair_view(candles["1h"], technical, higher, stop, target, settings)
    return Signals(views, signal_features(views))


def _candles(folder: Path, name: str, timeframe: str, until: str) -> Candles:
    frame = pd.read_feather(folder / f"{name}_USDT-{timeframe}.feather")
    closed = frame["date"] + pd.Timedelta(hours=HOURS[timeframe]) <= pd.Timestamp(until, tz="UTC")
    return Candles.from_frame(frame[closed], timeframe)


def _outcomes(view: PairView, reward_risk: float, horizon: int) -> Outcomes:
    costs, stop = Settings().costs, view.stop_distance[view.index]
    target = target_distance(stop, view.direction, TargetSettings(reward_risk=reward_risk), costs)
    return resolve_outcomes(view.candles, view.index, view.direction, stop, target, horizon, costs)
