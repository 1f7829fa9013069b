"""Signal quality (spec 002): train a model on resolved signals, load it again, score new signals walk-forward."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_models.registry import MODELS, model_class
from coordinator.learning.quality_rows import QualityRows
from coordinator.learning.sample_weights import sample_weights
from coordinator.learning.walk_forward import Fold
from coordinator.settings.quality import QualitySettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Floats, Ints

__all__ = ["create_model", "load_model", "train_model", "walk_forward_scores"]

OWNER = "signal quality"


def create_model(settings: QualitySettings, schema: FeatureSchema) -> QualityModel:
    """An unfitted model of the settings' type."""
    return model_class(settings.model_type)(settings, schema)


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
    return model_class(kind).from_bytes(path.read_bytes(), settings)


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
