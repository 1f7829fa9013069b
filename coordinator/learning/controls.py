"""What a model must beat: the constant, seeded noise, and itself trained on shuffled labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from coordinator.learning.quality_rows import QualityRows
from coordinator.types import Floats, Ints

__all__ = ["constant_scores", "has_failed", "noise_scores", "shuffled_outcomes"]


def constant_scores(y: Floats, count: int) -> Floats:
    """The base rate of the training labels for every row, shape (count,)."""
    return np.full(count, float(y.mean()))


def noise_scores(count: int, seed: int | Sequence[int]) -> Floats:
    """Uniform noise, shape (count,)."""
    return np.random.default_rng(seed).random(count)


def shuffled_outcomes(rows: QualityRows, index: Ints, rng: np.random.Generator) -> QualityRows:
    """The same rows with the outcomes of some of them dealt out at random among those.

    Outcome and exit are shuffled together, so the label's distribution stays and its meaning goes.
    """
    order = rng.permutation(index)
    r, kind = rows.r.copy(), rows.exit_kind.copy()
    r[index], kind[index] = rows.r[order], rows.exit_kind[order]
    return dataclasses.replace(rows, r=r, exit_kind=kind)


def has_failed(log_loss: float, prior_log_loss: float) -> bool:
    """Whether a model has failed: its log loss is above that of the constant base rate, or is no number.

    Examples
    --------
    >>> has_failed(0.70, 0.69), has_failed(0.68, 0.69), has_failed(float("nan"), 0.69)
    (True, False, True)
    """
    return not log_loss <= prior_log_loss
