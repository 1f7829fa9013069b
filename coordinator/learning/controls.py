"""What a model must beat: the constant, seeded noise, and itself trained on shuffled labels."""

from __future__ import annotations

import dataclasses

import numpy as np

from coordinator.learning.quality import train_model
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_rows import QualityRows
from coordinator.settings.quality import QualitySettings
from coordinator.types import Floats, Ints

__all__ = ["constant_scores", "has_failed", "noise_scores", "shuffled_label_model"]


def constant_scores(y: Floats, count: int) -> Floats:
    """The base rate of the training labels for every row, shape (count,)."""
    return np.full(count, float(y.mean()))


def noise_scores(count: int, seed: int) -> Floats:
    """Uniform noise, shape (count,)."""
    return np.random.default_rng(seed).random(count)


def shuffled_label_model(
    rows: QualityRows, settings: QualitySettings, train: Ints, seed: int
) -> QualityModel:
    """The same model on the same rows whose outcomes were dealt out at random among them.

    Outcome, exit and its time are shuffled together, so the label's distribution stays and its meaning goes.
    """
    order = np.random.default_rng(seed).permutation(train)
    r, kind = rows.r.copy(), rows.exit_kind.copy()
    r[train], kind[train] = rows.r[order], rows.exit_kind[order]
    return train_model(dataclasses.replace(rows, r=r, exit_kind=kind), settings, train)


def has_failed(log_loss: float, prior_log_loss: float) -> bool:
    """Whether a model has failed: its log loss is above that of the constant base rate, or is no number.

    Examples
    --------
    >>> has_failed(0.70, 0.69), has_failed(0.68, 0.69), has_failed(float("nan"), 0.69)
    (True, False, True)
    """
    return not log_loss <= prior_log_loss
