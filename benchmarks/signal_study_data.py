"""Real signals for the study of signal quality: features and outcomes of pooled spot pairs, from Freqtrade's files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from coordinator.decision.outcomes import resolve_outcomes
from coordinator.learning.quality import QualityRows
from coordinator.settings import Settings, TargetSettings
from coordinator.signals.candles import Candles
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.pair_view import PairView, make_pair_view
from coordinator.signals.signal_features import SIGNAL_SCHEMA, signal_features
from coordinator.signals.technical import compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance

PAIRS = ("BTC", "ETH", "SOL", "ADA", "XRP", "LTC", "LINK", "DOGE")
HOURS = {"1h": 1, "4h": 4, "1d": 24}


@dataclass(frozen=True)
class Signals:
    """All pairs' views up to a date, and the pooled features of their signals."""

    views: dict[str, PairView]
    values: np.ndarray

    def rows(self, reward_risk: float, horizon: int, names: tuple[str, ...] | None = None) -> QualityRows:
        """Features by name (all by default) with the outcomes of one target and horizon."""
        parts = [_outcomes(view, reward_risk, horizon) for view in self.views.values()]
        time, outcome_time, r, kind = (np.concatenate([part[k] for part in parts]) for k in range(4))
        schema = SIGNAL_SCHEMA if names is None else FeatureSchema(names, SIGNAL_SCHEMA.version)
        columns = [SIGNAL_SCHEMA.names.index(name) for name in schema.names]
        return QualityRows(
            schema, self.values[:, columns], time, outcome_time, r, kind, reward_risk, HOURS["1h"] * 3600
        )


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
    features = signal_features(views)
    return Signals(views, np.vstack([features[pair].values for pair in views]))


def _candles(folder: Path, name: str, timeframe: str, until: str) -> Candles:
    frame = pd.read_feather(folder / f"{name}_USDT-{timeframe}.feather")
    closed = frame["date"] + pd.Timedelta(hours=HOURS[timeframe]) <= pd.Timestamp(until, tz="UTC")
    return Candles.from_frame(frame[closed], timeframe)


def _outcomes(view: PairView, reward_risk: float, horizon: int) -> tuple[np.ndarray, ...]:
    costs, stop = Settings().costs, view.stop_distance[view.index]
    target = target_distance(stop, view.direction, TargetSettings(reward_risk=reward_risk), costs)
    found = resolve_outcomes(view.candles, view.index, view.direction, stop, target, horizon, costs)
    time = view.candles.time
    known = np.where(found.resolved >= 0, time[np.maximum(found.resolved, 0)], -1)
    return time[view.index], known, found.r, found.exit
