"""Signal quality as a component."""

from __future__ import annotations

from typing import Any

import numpy as np

from coordinator.components.component import Speaker, Trained, Window
from coordinator.components.market_history import MarketHistory, places
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.retraining import Champion, Retraining, retrain
from coordinator.settings import Settings
from coordinator.signals.signal_features import SIGNAL_SCHEMA
from coordinator.types import Floats, Times

__all__ = ["QualityComponent"]


class QualityComponent:
    """The signal-quality model: its confidence on the candles with a signal. Always one for all pairs."""

    name = "quality"
    columns: tuple[str, ...] = ("signal_quality",)

    def __init__(self, settings: Settings) -> None:
        self._settings, self._horizon = settings.quality, settings.targets.horizon
        self._done: dict[int, Trained] = {}

    def train(self, window: Window, before: Speaker | None) -> Trained:
        if window.end not in self._done:
            self._done[window.end] = self._train(window, before)
        return self._done[window.end]

    def _train(self, window: Window, before: Speaker | None) -> Trained:
        champion: Champion | None = None if before is None else before.model
        done = retrain(window.market.quality_rows, self._settings, window.end, champion)
        speaker = before
        if done.champion is not None and done.champion is not champion:
            speaker = Speaker(done.champion, done.champion.known_until, window.end)
        model: QualityModel | None = done.challenger
        metrics: dict[str, float] = {}
        if done.health is not None:
            metrics |= {k: float(v) for k, v in vars(done.health).items() if isinstance(v, int | float)}
        return Trained(
            speaker=speaker,
            verdict=done.verdict,
            kind=self._settings.model_type,
            suffix="" if model is None else model.suffix,
            content=b"" if model is None else model.to_bytes(),
            trained_from=done.trained_from,
            trained_until=done.trained_until,
            label_horizon=self._horizon,
            schema=SIGNAL_SCHEMA,
            metrics=metrics,
            details=_details(done),
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        if np.isin(times, market.signal_times(pair)).any():
            _ = market.signals

    def predict(self, speaker: Speaker, pair: str, times: Times, market: MarketHistory) -> Floats:
        out = np.full((len(times), 1), np.nan)
        rows = places(market.signal_times(pair), times)
        there = rows >= 0
        if there.any():
            x = market.signals[pair].values[rows[there]]
            out[there, 0] = np.clip(speaker.model.model.predict_proba(x, SIGNAL_SCHEMA), 1e-6, 1.0)
        return out


def _details(done: Retraining) -> dict[str, Any]:
    """What the report shows of the challenger beside its figures."""
    if done.challenger is None or done.health is None:
        return {}
    return {
        "confidence": list(done.health.confidence),
        "drifted": list(done.health.drifted),
        "importance_gain": done.challenger.importance(),
        "importance_permutation": dict(done.permutation),
    }
