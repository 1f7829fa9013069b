"""Signal quality (spec 002): train a model on resolved signals, load it again, score new signals walk-forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from coordinator.decision.outcomes import Outcomes
from coordinator.errors import CoordinatorError
from coordinator.learning.quality_labels import quality_label
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_models.registry import MODELS
from coordinator.learning.sample_weights import sample_weights
from coordinator.learning.walk_forward import Fold
from coordinator.settings.quality import QualitySettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.signals.pair_view import PairView
from coordinator.signals.signal_features import SIGNAL_SCHEMA, SignalFeatures
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["QualityRows", "create_model", "load_model", "pool_rows", "train_model", "walk_forward_scores"]

OWNER = "signal quality"


@dataclass(frozen=True)
class QualityRows:
    """Signals of all pairs, pooled; any order.

    Attributes
    ----------
    schema : FeatureSchema
    x : ndarray of shape (n, len(schema)), NaN where unknown
    time, outcome_time : ndarray of int, shape (n,)
        Open times of the signal's candle and of the candle that resolved it; the latter -1 while unresolved.
    r : ndarray of shape (n,), outcome in R after costs, NaN while unresolved
    exit_kind : ndarray of int, shape (n,), index into ``decision.outcomes.EXITS``
    reward_risk : float
    candle_seconds : int
    """

    schema: FeatureSchema
    x: Floats
    time: Times
    outcome_time: Times
    r: Floats
    exit_kind: Ints
    reward_risk: float
    candle_seconds: int

    def __len__(self) -> int:
        return len(self.time)

    def label(self, settings: QualitySettings) -> Floats:
        """Labels by the settings' design, NaN while unresolved."""
        return quality_label(self.r, self.exit_kind, settings.label, self.reward_risk)

    def select_features(self, names: Sequence[str]) -> QualityRows:
        """The same signals with some of the features, by name."""
        columns = [self.schema.names.index(name) for name in names]
        return replace(self, schema=FeatureSchema(tuple(names), self.schema.version), x=self.x[:, columns])

    def known_before(self, until: int) -> Bools:
        """Rows whose outcome was known before the candle that opens at ``until``; shape (n,)."""
        return np.asarray((self.outcome_time >= 0) & (self.outcome_time < until))


def pool_rows(
    views: Mapping[str, PairView],
    features: Mapping[str, SignalFeatures],
    outcomes: Mapping[str, Outcomes],
    reward_risk: float,
) -> QualityRows:
    """Put the signals of all pairs below each other, in the order of ``views``.

    Parameters
    ----------
    views, features, outcomes : mappings of pair
        ``features`` of ``signal_features``; ``outcomes`` of the same signals, from ``resolve_outcomes``.
    """
    time, known, x, r, kind, seconds = [], [], [], [], [], {view.candles.seconds for view in views.values()}
    if len(seconds) != 1:
        raise CoordinatorError("views", OWNER, "be of one timeframe", sorted(seconds))
    for pair, view in views.items():
        candles, outcome = view.candles.time, outcomes[pair]
        time.append(candles[features[pair].index])
        known.append(np.where(outcome.resolved >= 0, candles[np.maximum(outcome.resolved, 0)], -1))
        x.append(features[pair].values)
        r.append(outcome.r)
        kind.append(outcome.exit)
    return QualityRows(
        schema=SIGNAL_SCHEMA,
        x=np.vstack(x),
        time=np.concatenate(time),
        outcome_time=np.concatenate(known),
        r=np.concatenate(r),
        exit_kind=np.concatenate(kind),
        reward_risk=reward_risk,
        candle_seconds=seconds.pop(),
    )


def create_model(settings: QualitySettings, schema: FeatureSchema) -> QualityModel:
    """An unfitted model of the settings' type."""
    return MODELS[settings.model_type](settings, schema)


def load_model(path: Path, settings: QualitySettings, kind: str | None = None) -> QualityModel:
    """Read a model's file, which runs no code.

    Parameters
    ----------
    kind : str, optional
        Type of the model, by default that of the settings.

    Raises
    ------
    CoordinatorError
        If there is no such file or type, or the file is not what it should be.
    """
    kind = kind or settings.model_type
    if kind not in MODELS:
        raise CoordinatorError("model_type", OWNER, f"be one of {', '.join(MODELS)}", kind)
    if not path.is_file():
        raise CoordinatorError("model file", OWNER, "exist: train a model first", str(path))
    return MODELS[kind].from_bytes(path.read_bytes(), settings)


def train_model(rows: QualityRows, settings: QualitySettings, train: Ints | None = None) -> QualityModel:
    """Fit the settings' model on resolved rows, weighted as the settings say.

    Parameters
    ----------
    train : ndarray of int, optional
        Rows to learn from, by default all that are resolved. Keep them to what was known at the time:
        ``rows.known_before(now)`` or the ``train`` of a fold.

    Raises
    ------
    CoordinatorError
        With fewer than ``minimum_samples`` rows, or labels that are all the same.
    """
    y = rows.label(settings)
    chosen = np.arange(len(rows)) if train is None else train
    chosen = chosen[np.isfinite(y[chosen]) & (rows.outcome_time[chosen] >= 0)]
    if len(chosen) < settings.minimum_samples:
        rule = f"be at least {settings.minimum_samples} resolved signals"
        raise CoordinatorError("training rows", OWNER, rule, len(chosen))
    chosen = chosen[np.argsort(rows.time[chosen], kind="stable")]
    weight = sample_weights(
        rows.time[chosen], rows.outcome_time[chosen], y[chosen], rows.candle_seconds, settings
    )
    return create_model(settings, rows.schema).fit(rows.x[chosen], y[chosen], weight)


def walk_forward_scores(
    rows: QualityRows, folds: Sequence[Fold], settings: QualitySettings
) -> tuple[Floats, list[QualityModel]]:
    """Scores of the folds' test rows, each from a model that saw only what was known before the slice.

    Returns
    -------
    scores : ndarray of shape (n,)
        NaN outside the test slices.
    models : list of QualityModel, one a fold
    """
    scores, models = np.full(len(rows), np.nan), []
    for fold in folds:
        model = train_model(rows, settings, fold.train)
        scores[fold.test] = model.predict_proba(rows.x[fold.test])
        models.append(model)
    return scores, models
