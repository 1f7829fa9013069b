"""The sequence networks as components: LSTM and attention, each one network or an ensemble."""

from __future__ import annotations

import numpy as np

from coordinator.components.challenge import PromotionSlice, challenge
from coordinator.components.component import SCHEMA, ActiveModel, TrainingResult, Window
from coordinator.components.market_history import BASE, MarketHistory, row_positions
from coordinator.learning.artefact import encode
from coordinator.learning.blocks import Block
from coordinator.learning.class_health import shuffled_importance
from coordinator.learning.ensemble.network_ensemble import NetworkModel, network_model
from coordinator.learning.labels import class_numbers
from coordinator.settings import Settings
from coordinator.types import Floats, Times

__all__ = ["SequenceComponent"]

ATTENDED = 500  # newest rows of the first pair over which attention is averaged for the report
SHUFFLED = 160  # of them, those on which features are shuffled: a prediction for each feature


class SequenceComponent:
    """A sequence network: probabilities of HOLD, BUY and SELL, and of an ensemble how far its members disagree."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self._settings = name, settings.learning
        self._margin = settings.quality.auc_margin
        several = len(settings.learning.members) > 1
        answers = ("hold", "buy", "sell", *(("disagreement",) if several else ()))
        self.columns = tuple(f"{name}_{answer}" for answer in answers)

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        s = self._settings
        all_blocks = (history.block(s, window.begin, window.end) for history in window.pairs.values())
        blocks = [block for block in all_blocks if len(block.labels)]
        initial = previous.model if previous is not None and s.warm_start else None
        model = network_model(s, s.network(self.name)).fit_pooled(blocks, SCHEMA, initial)
        newest = PromotionSlice.of(blocks, s, s.sequence_length, previous)
        verdict = challenge(
            [newest],
            [_predict_newest(model, newest, s.sequence_length)],
            None if previous is None else [_predict_newest(previous.model, newest, s.sequence_length)],
            self._margin,
        )
        new = ActiveModel(model, window.end, window.end)
        details = {**model.details_, "importance": _importance(model, blocks[0], s.seed)}
        return TrainingResult(
            active=new if verdict.promoted else previous,
            verdict=verdict,
            kind=model.kind,
            suffix=".safetensors",
            content=encode(model.to_artefact()),
            trained_from=min(int(block.times[0]) for block in blocks if block.times is not None),
            trained_until=newest.last,
            label_horizon=s.longest_horizon,
            schema=SCHEMA,
            metrics=model.metrics_,
            details=details | model.attention(blocks[0].features[-ATTENDED:]),
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        _ = market.pairs[pair].tables

    def predict(self, active: ActiveModel, pair: str, times: Times, market: MarketHistory) -> Floats:
        history, out = market.pairs[pair], np.full((len(times), len(self.columns)), np.nan)
        rows = row_positions(history.candles[BASE].time, times)
        present = rows >= 0
        if present.any():
            first = max(0, int(rows[present].min()) - self._settings.sequence_length + 1)
            table = history.tables[BASE][first : int(rows.max()) + 1]
            out[present] = active.model.columns(table)[rows[present] - first]
        return out


def _importance(model: NetworkModel, block: Block, seed: int) -> dict[str, float]:
    """Log loss that each feature is worth on a pair's newest labelled rows."""
    labels = block.labels[-SHUFFLED:]
    known = np.isfinite(labels)

    def predict(x: Floats) -> Floats:
        return model.predict_proba(x)[0][known]

    classes = class_numbers(labels[known])
    return shuffled_importance(predict, block.features[-SHUFFLED:], classes, model.schema_.names, seed)


def _predict_newest(model: NetworkModel, newest: PromotionSlice, length: int) -> list[Floats]:
    predictions = []
    for block in newest.blocks:
        assert block.times is not None
        first = max(0, int(np.searchsorted(block.times, newest.start)) - length + 1)
        probabilities, _ = model.predict_proba(block.features[first:])
        predictions.append(np.vstack((np.full((first, 3), np.nan), probabilities))[newest.rows(block)])
    return predictions
