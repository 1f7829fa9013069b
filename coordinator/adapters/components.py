"""The trained components: each is trained on a window, judged beside its predecessor, and asked for its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from coordinator.adapters.market_history import BASE, MarketHistory, PairHistory, places
from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import encode
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.fusion_models import FusionModels
from coordinator.learning.promotion import Verdict, judge
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.retraining import Champion, retrain
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.features import FEATURES, FEATURES_VERSION
from coordinator.signals.fusion import TIMEFRAMES
from coordinator.signals.signal_features import SIGNAL_SCHEMA
from coordinator.types import Bools, Floats, Times

__all__ = ["Component", "Speaker", "Trained", "Window", "build_component"]

DAY = 86400
LEAD = 64  # candles before the first one asked for, so that the formula's consistency has its history
SCHEMA = FeatureSchema(FEATURES, FEATURES_VERSION)


@dataclass(frozen=True)
class Window:
    """What a training may look at: [begin, end), seconds; ``pairs`` train, ``market`` holds all of them."""

    begin: int
    end: int
    pairs: Mapping[str, PairHistory]
    market: MarketHistory


@dataclass(frozen=True)
class Speaker:
    """A model in use.

    Attributes
    ----------
    model : SequenceClassifier, FusionModels or Champion
    known_until : int
        All that it has learnt from was known before this time (seconds): later candles may judge it.
    speaks_from : int
        First candle it may speak for.
    """

    model: Any
    known_until: int
    speaks_from: int


@dataclass(frozen=True)
class Trained:
    """What a training came to: who speaks now (None: nobody), the verdict, and the challenger as a file."""

    speaker: Speaker | None
    verdict: Verdict
    kind: str
    suffix: str
    content: bytes
    trained_from: int
    trained_until: int
    label_horizon: int
    schema: FeatureSchema
    metrics: dict[str, float] = field(default_factory=dict)


class Component(Protocol):
    """One component of the composite."""

    @property
    def name(self) -> str:
        """As in ``learning.components``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what ``predict`` returns."""

    def train(self, window: Window, before: Speaker | None) -> Trained:
        """Train on a window and keep the better of the new model and the one before."""

    def prepare(self, pair: str, times: Times, market: MarketHistory) -> None:
        """Compute the features that ``predict`` will read."""

    def predict(self, speaker: Speaker, pair: str, times: Times, market: MarketHistory) -> Floats:
        """Columns of one pair's candles, shape (len(times), len(columns)), NaN where there is nothing to say."""


def build_component(name: str, settings: Settings) -> Component:
    """The component of a name in ``learning.components``."""
    if name == "fusion":
        return FusionComponent(settings)
    return QualityComponent(settings) if name == "quality" else SequenceComponent(name, settings)


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
        slice_ = _Slice.of(blocks, s.label_horizon, s.sequence_length, s.validation_share, before)
        verdict = _judged(
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
        except CoordinatorError as error:  # a year of daily candles is often not there: the indicators' fusion stays
            return self._too_few(before, error)
        slices = []
        for name in TIMEFRAMES:
            every = (models.block(h.candles[name], h.tables[name], begin, window.end) for h in histories)
            blocks = [block for block in every if len(block.labels)]
            slices.append(_Slice.of(blocks, s.label_horizon, 1, s.validation_share, before))
        verdict = _judged(
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
            candles[name], tables[name] = _cut(frame, part), history.tables[name][part]
        fused = speaker.model.join(candles[BASE], candles, tables)
        answers = np.column_stack((fused.direction.astype(np.float64), fused.confidence, fused.score))
        answers[~np.isfinite(fused.score)] = np.nan
        out[there] = answers[places(candles[BASE].time, times[there])]
        return out


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


@dataclass(frozen=True)
class _Slice:
    """The newest rows of the blocks that neither model was trained on, from ``start`` on."""

    blocks: list[Block]
    start: int
    base_rate: float
    first: int
    last: int

    @classmethod
    def of(
        cls, blocks: list[Block], horizon: int, length: int, share: float, before: Speaker | None
    ) -> _Slice:
        """The validation slice, as far as it lies after what the older model has learnt from."""
        data = pool(blocks, horizon)
        split = split_by_time(data, length, share)
        start = int(data.times[split.validation].min())
        taught = data.labels[split.train]
        labelled = data.times[np.isfinite(data.labels)]
        return cls(
            blocks=blocks,
            start=max(start, before.known_until if before else 0),
            base_rate=float((taught[taught != 0] > 0).mean()),
            first=int(labelled.min()),
            last=int(labelled.max()),
        )

    def rows(self, block: Block) -> Bools:
        """Rows of a block that judge: those that went up or down."""
        assert block.times is not None
        return np.asarray((block.times >= self.start) & np.isfinite(block.labels) & (block.labels != 0))


def _ask_network(model: SequenceClassifier, slice_: _Slice, length: int) -> list[Floats]:
    answers = []
    for block in slice_.blocks:
        assert block.times is not None
        first = max(0, int(np.searchsorted(block.times, slice_.start)) - length + 1)
        probabilities, _ = model.predict_proba(block.features[first:])
        answers.append(np.vstack((np.full((first, 3), np.nan), probabilities))[slice_.rows(block)])
    return answers


def _ask_trees(models: FusionModels, slices: list[_Slice]) -> list[list[Floats]]:
    return [
        [models.models_[name].predict_proba(block.features[slice_.rows(block)])[0] for block in slice_.blocks]
        for name, slice_ in zip(TIMEFRAMES, slices, strict=True)
    ]


def _judged(
    slices: list[_Slice], new: list[list[Floats]], old: list[list[Floats]] | None, margin: float
) -> Verdict:
    """The verdict on P(BUY) / (P(BUY) + P(SELL)) over the slices' rows that went up or down."""
    labels = np.concatenate([block.labels[s.rows(block)] for s in slices for block in s.blocks])
    counts = [sum(int(s.rows(block).sum()) for block in s.blocks) for s in slices]
    challenger, champion = _up(new), None if old is None else _up(old)
    known = np.isfinite(challenger)
    if champion is not None:
        known &= np.isfinite(champion)
    base = float(np.average([s.base_rate for s in slices], weights=counts)) if sum(counts) else 0.5
    y = (labels[known] > 0).astype(np.float64)
    return judge(y, challenger[known], None if champion is None else champion[known], base, margin)


def _up(answers: list[list[Floats]]) -> Floats:
    p = np.vstack([part for parts in answers for part in parts])
    return np.asarray(p[:, 1] / (p[:, 1] + p[:, 2]))


def _cut(candles: Candles, part: slice) -> Candles:
    return Candles(
        time=candles.time[part],
        open=candles.open[part],
        high=candles.high[part],
        low=candles.low[part],
        close=candles.close[part],
        volume=candles.volume[part],
        seconds=candles.seconds,
    )
