"""The fusion of 1h, 4h and 1d models as a component."""

from __future__ import annotations

import numpy as np

from coordinator.components.challenge import Slice, judged
from coordinator.components.component import DAY, SCHEMA, Speaker, Trained, Window
from coordinator.components.market_history import BASE, MarketHistory, places
from coordinator.errors import CoordinatorError
from coordinator.learning.fusion_models import FusionModels
from coordinator.learning.promotion import Verdict
from coordinator.settings import Settings
from coordinator.signals.fusion import TIMEFRAMES
from coordinator.types import Floats, Times

__all__ = ["FusionComponent"]

LEAD = 64  # candles before the first one asked for, so that the formula's consistency has its history


class FusionComponent:
    """The 1h, 4h and 1d models joined by the documented formula: direction, confidence and score."""

    name = "fusion"
    columns: tuple[str, ...] = ("fusion_model_direction", "fusion_model_confidence", "fusion_model_score")

    def __init__(self, settings: Settings) -> None:
        self._settings, self._fusion = settings.fusion_models, settings.fusion
        self._margin = settings.quality.auc_margin

    def train(self, window: Window, before: Speaker | None) -> Trained:
        s = self._settings
        begin = window.end - s.train_days * DAY if s.train_days else 0
        histories = list(window.pairs.values())
        candles, tables = [h.candles for h in histories], [h.tables for h in histories]
        try:
            models = FusionModels(s, self._fusion).fit(candles, begin, window.end, tables)
        except (
            CoordinatorError
        ) as error:  # a year of daily candles is often not there: the indicators' fusion stays
            return self._too_few(before, error)
        slices = []
        for name in TIMEFRAMES:
            every = (models.block(h.candles[name], h.tables[name], begin, window.end) for h in histories)
            blocks = [block for block in every if len(block.labels)]
            slices.append(Slice.of(blocks, s.label_horizon, 1, s.validation_share, before))
        verdict = judged(
            slices,
            _ask_trees(models, slices),
            None if before is None else _ask_trees(before.model, slices),
            self._margin,
        )
        metrics = {f"{name}_{key}": x for name, m in models.models_.items() for key, x in m.metrics_.items()}
        new = Speaker(models, window.end, window.end)
        return Trained(
            speaker=new if verdict.promoted else before,
            verdict=verdict,
            kind="lightgbm",
            suffix=".json",
            content=models.encode(),
            trained_from=max(begin, min(slice_.first for slice_ in slices)),
            trained_until=slices[0].last,
            label_horizon=s.label_horizon,
            schema=SCHEMA,
            metrics=metrics,
        )

    def _too_few(self, before: Speaker | None, error: CoordinatorError) -> Trained:
        kept, nan = "no model" if before is None else "kept current model", float("nan")
        verdict = Verdict(False, f"{kept}: too few candles. {error}", nan, nan, nan, nan)
        return Trained(before, verdict, "lightgbm", "", b"", 0, 0, self._settings.label_horizon, SCHEMA)

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        _ = market.pairs[pair].tables

    def predict(self, speaker: Speaker, pair: str, times: Times, market: MarketHistory) -> Floats:
        history, out = market.pairs[pair], np.full((len(times), 3), np.nan)
        base = history.candles[BASE]
        rows = places(base.time, times)
        there = rows >= 0
        if not there.any():
            return out
        closed = int(base.time[rows.max()]) + base.seconds
        candles, tables = {}, {}
        for name, frame in history.candles.items():
            opened = int(base.time[rows[there].min()]) - LEAD * frame.seconds
            part = slice(*np.searchsorted(frame.time, (opened, closed - frame.seconds + 1)).tolist())
            candles[name], tables[name] = frame.rows(part), history.tables[name][part]
        fused = speaker.model.join(candles[BASE], candles, tables)
        answers = np.column_stack((fused.direction.astype(np.float64), fused.confidence, fused.score))
        answers[~np.isfinite(fused.score)] = np.nan
        out[there] = answers[places(candles[BASE].time, times[there])]
        return out


def _ask_trees(models: FusionModels, slices: list[Slice]) -> list[list[Floats]]:
    return [
        [models.models_[name].predict_proba(block.features[slice_.rows(block)])[0] for block in slice_.blocks]
        for name, slice_ in zip(TIMEFRAMES, slices, strict=True)
    ]
