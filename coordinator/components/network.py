"""The sequence networks as components: LSTM and attention."""

from __future__ import annotations

import numpy as np

from coordinator.components.challenge import Slice, judged
from coordinator.components.component import SCHEMA, Speaker, Trained, Window
from coordinator.components.market_history import BASE, MarketHistory, places
from coordinator.learning.artefact import encode
from coordinator.learning.classifier import SequenceClassifier
from coordinator.settings import Settings
from coordinator.types import Floats, Times

__all__ = ["SequenceComponent"]

ATTENDED = 500  # newest rows of the first pair over which attention is averaged for the report


class SequenceComponent:
    """A sequence network: probabilities of HOLD, BUY and SELL."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self._settings = name, settings.learning
        self._margin = settings.quality.auc_margin
        self.columns = tuple(f"{name}_{answer}" for answer in ("hold", "buy", "sell"))

    def train(self, window: Window, before: Speaker | None) -> Trained:
        s = self._settings
        every = (history.block(s, window.begin, window.end) for history in window.pairs.values())
        blocks = [block for block in every if len(block.labels)]
        previous = before.model if before is not None and s.warm_start else None
        model = SequenceClassifier(s, self.name).fit_pooled(blocks, SCHEMA, previous)
        slice_ = Slice.of(blocks, s.label_horizon, s.sequence_length, s.validation_share, before)
        verdict = judged(
            [slice_],
            [_ask_network(model, slice_, s.sequence_length)],
            None if before is None else [_ask_network(before.model, slice_, s.sequence_length)],
            self._margin,
        )
        new = Speaker(model, window.end, window.end)
        return Trained(
            speaker=new if verdict.promoted else before,
            verdict=verdict,
            kind=self.name,
            suffix=".safetensors",
            content=encode(model.to_artefact()),
            trained_from=min(int(block.times[0]) for block in blocks if block.times is not None),
            trained_until=slice_.last,
            label_horizon=s.label_horizon,
            schema=SCHEMA,
            metrics=model.metrics_,
            details=model.attention(blocks[0].features[-ATTENDED:]) if blocks else {},
        )

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        _ = market.pairs[pair].tables

    def predict(self, speaker: Speaker, pair: str, times: Times, market: MarketHistory) -> Floats:
        history, out = market.pairs[pair], np.full((len(times), 3), np.nan)
        rows = places(history.candles[BASE].time, times)
        there = rows >= 0
        if there.any():
            first = max(0, int(rows[there].min()) - self._settings.sequence_length + 1)
            table = history.tables[BASE][first : int(rows.max()) + 1]
            probabilities, _ = speaker.model.predict_proba(table)
            out[there] = probabilities[rows[there] - first]
        return out


def _ask_network(model: SequenceClassifier, slice_: Slice, length: int) -> list[Floats]:
    answers = []
    for block in slice_.blocks:
        assert block.times is not None
        first = max(0, int(np.searchsorted(block.times, slice_.start)) - length + 1)
        probabilities, _ = model.predict_proba(block.features[first:])
        answers.append(np.vstack((np.full((first, 3), np.nan), probabilities))[slice_.rows(block)])
    return answers
