"""Signal quality as a component."""

from __future__ import annotations

from typing import Any

import numpy as np

from coordinator.components.component import ActiveModel, TrainingResult, Window
from coordinator.components.drift_check import DRIFT_MARKS
from coordinator.components.market_history import BASE, MarketHistory, row_positions
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_models.online_update import OnlineUpdate
from coordinator.learning.retraining import Champion, Retraining, retrain
from coordinator.settings import Settings
from coordinator.signals.candles import timeframe_seconds
from coordinator.signals.clock import series_name
from coordinator.signals.panel_features import PANEL_SCHEMA
from coordinator.signals.signal_features import SIGNAL_SCHEMA
from coordinator.types import Floats, Ints, Times

__all__ = ["QualityComponent", "training_details"]

"""Key of a model's metrics under which the registry keeps what drift is measured against."""


class QualityComponent:
    """The signal-quality model: its confidence on candles with a signal. Always one model for all pairs.

    It learns from resolved signals, or (``quality.samples`` "panel") from every pair at every candle of the clock: then
    its confidence is the probability that the price rises over the panel's horizon, of a short that it falls.

    Parameters
    ----------
    clock : whose signals it judges; None is the slowest. Of several clocks each has its own model ("quality_4h")
    """

    def __init__(self, settings: Settings, clock: str | None = None) -> None:
        self._clock = clock or settings.clock_names[0]
        own = settings.on_clock(self._clock)
        self._settings, self._panel = own.quality, own.quality.samples == "panel"
        self._watch = own.continuous_learning
        panel_candles = own.quality.panel_horizon * own.baseline.clock_seconds
        self._horizon = (panel_candles if self._panel else own.time_limit) // timeframe_seconds(BASE)
        self.name = series_name("quality", self._clock, settings.clock_names[0]).replace(" ", "_")
        self.columns: tuple[str, ...] = (f"signal_{self.name}",)
        self.schema = PANEL_SCHEMA if self._panel else SIGNAL_SCHEMA
        self._results: dict[int, TrainingResult] = {}
        self._updates: dict[tuple[int, int, int], OnlineUpdate] = {}

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        if window.end not in self._results:
            self._results[window.end] = self._train(window, previous)
        return self._results[window.end]

    def _train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        champion: Champion | None = None if previous is None else previous.model
        retrained = retrain(
            window.market.on_clock(self._clock).quality_rows,
            self._settings,
            window.end,
            champion,
            self._watch,
        )
        active = previous
        if retrained.champion is not None and retrained.champion is not champion:
            active = ActiveModel(retrained.champion, retrained.champion.trained_until, window.end)
        model: QualityModel | None = retrained.challenger
        metrics: dict[str, float] = {}
        if retrained.health is not None:
            metrics |= {k: float(v) for k, v in vars(retrained.health).items() if isinstance(v, int | float)}
        return TrainingResult(
            active=active,
            verdict=retrained.verdict,
            kind=self._settings.model_type,
            suffix="" if model is None else model.suffix,
            content=b"" if model is None else model.to_bytes(),
            trained_from=retrained.trained_from,
            trained_until=retrained.trained_until,
            label_horizon=self._horizon,
            schema=self.schema,
            metrics=metrics,
            details={**training_details(retrained), "trained_at": window.end},
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        market = market.on_clock(self._clock)
        if np.isin(times, market.signal_times(pair)).any():
            _ = market.panel if self._panel else market.signals

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        out, market = np.full((len(times), 1), np.nan), market.on_clock(self._clock)
        rows = row_positions(market.signal_times(pair), times)
        present = rows >= 0
        if present.any():
            score = self._score(active, pair, times[present], rows[present], market)
            out[present, 0] = np.clip(score, 1e-6, 1.0)
        return out

    def _score(
        self, active: ActiveModel, pair: str, times: Times, rows: Ints, market: MarketHistory
    ) -> Floats:
        """Confidence of a pair's signals, given by time and by their rows among all of its own."""
        if not self._panel:
            return self._scores(active, market.signals[pair].values[rows], times, market)
        x = market.panel_at(pair, times)
        rises = np.where(np.isfinite(x).any(axis=1), self._scores(active, x, times, market), np.nan)
        technical = market.technical(pair)
        direction = technical.signal[np.flatnonzero(technical.signal)[rows]]
        return np.where(direction > 0, rises, 1.0 - rises)  # the panel's rows are longs

    def _scores(self, active: ActiveModel, x: Floats, times: Times, market: MarketHistory) -> Floats:
        """The model's scores, with its online update where there is one."""
        score = self._model_scores(active, x, times)
        if not self._settings.online_days or not len(times):
            return score
        return self._online_update(active, market, int(times[-1])).corrected(score, x, times)

    def _online_update(self, active: ActiveModel, market: MarketHistory, until: int) -> OnlineUpdate:
        """Learnt anew for each model, and for a bot's each candle: there is no state that could be lost."""
        key = id(active.model.model), id(market), until
        if key not in self._updates:
            champion: Champion = active.model
            self._updates = {
                key: OnlineUpdate.learn(
                    champion.model, market.quality_rows, self._settings, champion.trained_until, until
                )
            }
        return self._updates[key]

    def _model_scores(self, active: ActiveModel, x: Floats, times: Times) -> Floats:
        """What the model in use says of rows, NaN where it says nothing."""
        model: QualityModel = active.model.model
        return model.predict_proba(x, self.schema)


def training_details(retrained: Retraining) -> dict[str, Any]:
    """What the report shows of the challenger beside its figures."""
    if retrained.challenger is None or retrained.health is None:
        return {}
    return {
        "confidence": list(retrained.health.confidence),
        "drifted": list(retrained.health.drifted),
        "importance_gain": retrained.challenger.importance(),
        "importance_permutation": dict(retrained.permutation),
        DRIFT_MARKS: None if retrained.marks is None else retrained.marks.as_json(),
    }
