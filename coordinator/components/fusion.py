"""The fusion of 1h, 4h and 1d models as a component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coordinator.components.challenge import PromotionSlice, challenge
from coordinator.components.component import DAY, SCHEMA, ActiveModel, TrainingResult, Window
from coordinator.components.market_history import BASE, MarketHistory, row_positions
from coordinator.errors import CoordinatorError
from coordinator.learning.fusion_models import FusionModels
from coordinator.learning.promotion import Verdict
from coordinator.learning.timeframe_model import TimeframeModel
from coordinator.settings import Settings
from coordinator.signals.fusion import TIMEFRAMES
from coordinator.types import Floats, Times

__all__ = ["FusionComponent"]

AVERAGED = ("accuracy", "gap", "feature_drift", "calibration_error")  # over the three models
LEAD = 64  # candles before the first one asked for, so that the formula's consistency has its history


class FusionComponent:
    """The 1h, 4h and 1d models joined by the documented formula: direction, confidence and score."""

    name = "fusion"
    columns: tuple[str, ...] = ("fusion_model_direction", "fusion_model_confidence", "fusion_model_score")

    def __init__(self, settings: Settings) -> None:
        self._settings, self._fusion = settings.fusion_models, settings.fusion
        self._margin = settings.quality.auc_margin

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        s = self._settings
        begin = window.end - s.train_days * DAY if s.train_days else 0
        histories = list(window.pairs.values())
        candles, tables = [h.candles for h in histories], [h.tables for h in histories]
        try:
            models = FusionModels(s, self._fusion).fit(candles, begin, window.end, tables)
        except CoordinatorError as error:
            # A year of daily candles is often missing: the indicators' fusion stays.
            return self._too_few(previous, error)
        slices = []
        for name in TIMEFRAMES:
            all_blocks = (models.block(h.candles[name], h.tables[name], begin, window.end) for h in histories)
            blocks = [block for block in all_blocks if len(block.labels)]
            slices.append(PromotionSlice.of(blocks, s, 1, previous))
        verdict = challenge(
            slices,
            _predict_newest(models, slices),
            None if previous is None else _predict_newest(previous.model, slices),
            self._margin,
        )
        metrics = {
            f"{name}_{key}": value for name, m in models.models_.items() for key, value in m.metrics_.items()
        }
        parts = list(models.models_.values())
        metrics |= {name: float(np.mean([m.metrics_[name] for m in parts])) for name in AVERAGED}
        new = ActiveModel(models, window.end, window.end)
        return TrainingResult(
            active=new if verdict.promoted else previous,
            verdict=verdict,
            kind="lightgbm",
            suffix=".json",
            content=models.encode(),
            trained_from=max(begin, min(slice_.first for slice_ in slices)),
            trained_until=slices[0].last,
            label_horizon=s.label_horizon,
            schema=SCHEMA,
            metrics=metrics,
            details=_details(parts),
        )

    def _too_few(self, previous: ActiveModel | None, error: CoordinatorError) -> TrainingResult:
        outcome, nan = "no model" if previous is None else "kept current model", float("nan")
        verdict = Verdict(False, f"{outcome}: too few candles. {error}", nan, nan, nan, nan)
        return TrainingResult(
            previous, verdict, "lightgbm", "", b"", 0, 0, self._settings.label_horizon, SCHEMA
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        _ = market.pairs[pair].tables

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        history, out = market.pairs[pair], np.full((len(times), 3), np.nan)
        base = history.candles[BASE]
        rows = row_positions(base.time, times)
        present = rows >= 0
        if not present.any():
            return out
        closed = int(base.time[rows.max()]) + base.seconds
        candles, tables = {}, {}
        for name, frame in history.candles.items():
            opened = int(base.time[rows[present].min()]) - LEAD * frame.seconds
            part = slice(*np.searchsorted(frame.time, (opened, closed - frame.seconds + 1)).tolist())
            candles[name], tables[name] = frame.rows(part), history.tables[name][part]
        fusion = active.model.join(candles[BASE], candles, tables)
        predictions = np.column_stack((fusion.direction.astype(np.float64), fusion.confidence, fusion.score))
        predictions[~np.isfinite(fusion.score)] = np.nan
        out[present] = predictions[row_positions(candles[BASE].time, times[present])]
        return out


def _details(models: Sequence[TimeframeModel]) -> dict[str, Any]:
    """Mean share of the trees' gain by feature, and of the first model what else the report shows."""
    shares = []
    for model in models:
        gain = np.array(list(model.details_["importance"].values()))
        shares.append(gain / max(float(gain.sum()), 1e-12))
    importance = dict(zip(models[0].schema_.names, np.mean(shares, axis=0).tolist(), strict=True))
    first = models[0].details_
    return {"drifted": first["drifted"], "confidence": first["confidence"], "importance": importance}


def _predict_newest(models: FusionModels, slices: list[PromotionSlice]) -> list[list[Floats]]:
    return [
        [models.models_[name].predict_proba(block.features[slice_.rows(block)])[0] for block in slice_.blocks]
        for name, slice_ in zip(TIMEFRAMES, slices, strict=True)
    ]
