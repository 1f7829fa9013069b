"""Online update of a signal-quality model between two trainings, on outcomes that became known since.

A linear correction of the model's logit: every few days stochastic gradient descent (scikit-learn's SGDClassifier, log
loss, L2) takes one pass over the outcomes that became known in them, starting from the model as it is (weight 1 on its
logit, 0 on the standardised features). A row is scored with the correction that stood before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_rows import QualityRows
from coordinator.settings.quality import QualitySettings
from coordinator.types import SECONDS_PER_DAY, Floats, Times

__all__ = ["OnlineUpdate"]

PENALTY = 1e-3
CLIP = 5.0  # standard deviations: one odd candle must not own a step
EDGE = 1e-6


@dataclass(frozen=True)
class OnlineUpdate:
    """The corrections of a model, step by step.

    Attributes
    ----------
    starts : int, shape (steps,), seconds from which each correction holds, ascending; before the first none does
    weights : shape (steps, 1 + n_features + 1): of the logit, of the features, and the intercept
    mean, scale : of the features that the model had learnt from, shape (n_features,)
    """

    starts: Times
    weights: Floats
    mean: Floats
    scale: Floats

    @classmethod
    def learn(
        cls, model: QualityModel, rows: QualityRows, settings: QualitySettings, trained_until: int, until: int
    ) -> OnlineUpdate:
        """Learn from what became known from the model's training on.

        Parameters
        ----------
        rows : what the model was trained on and what came after; may reach beyond ``until``
        trained_until : all that the model has learnt from was known before, seconds
        until : the last step is at or before it, seconds

        Notes
        -----
        The correction that holds from a moment on has seen outcomes alone that were known before it
        (``outcome_time``), so cutting or changing later ones changes nothing.
        """
        step = settings.online_days * SECONDS_PER_DAY
        starts = np.arange(trained_until + step, until + 1, step, dtype=np.int64)
        y, known = rows.label(settings), rows.outcome_time
        learnt = rows.x[rows.known_before(trained_until)]
        mean, scale = _moments(learnt if len(learnt) else rows.x[:0])
        fresh = np.flatnonzero((known >= trained_until) & (known < until) & np.isfinite(y))
        fresh = fresh[np.lexsort((rows.time[fresh], known[fresh]))]
        inputs = _inputs(model.predict_proba(rows.x[fresh], rows.schema), rows.x[fresh], mean, scale)
        edges = np.searchsorted(known[fresh], starts, side="left")
        learner = _learner(inputs.shape[1], settings)
        weights, first = np.zeros((len(starts), inputs.shape[1] + 1)), 0
        for i, last in enumerate(edges.tolist()):
            if last > first:
                learner.partial_fit(inputs[first:last], (y[fresh[first:last]] >= 0.5).astype(np.int64))
            weights[i] = np.append(learner.coef_[0], learner.intercept_)
            first = last
        return cls(starts, weights, mean, scale)

    def corrected(self, score: Floats, x: Floats, times: Times) -> Floats:
        """Scores with the correction that holds at each row's time.

        Parameters
        ----------
        score : ndarray of shape (n,), the model's, 0..1; NaN stays NaN
        x : ndarray of shape (n, n_features), NaN where unknown (counts as the mean)
        times : ndarray of int, shape (n,), seconds
        """
        at = np.searchsorted(self.starts, times, side="right") - 1
        held = at >= 0
        out = score.copy()
        inputs, weights = _inputs(score[held], x[held], self.mean, self.scale), self.weights[at[held]]
        logit = (inputs * weights[:, :-1]).sum(axis=1) + weights[:, -1]
        out[held] = 1.0 / (1.0 + np.exp(-logit))
        return out


def _learner(width: int, settings: QualitySettings) -> Any:
    """A learner that begins as the model: weight 1 on its logit."""
    from sklearn.linear_model import SGDClassifier  # slow to import, and seldom needed

    learner = SGDClassifier(
        loss="log_loss",
        penalty="l2",
        alpha=PENALTY,
        learning_rate="constant",
        eta0=settings.online_rate,
        shuffle=False,
    )
    learner.partial_fit(np.zeros((2, width)), np.array([0, 1]), classes=np.array([0, 1]))
    learner.coef_[:], learner.intercept_[:] = 0.0, 0.0
    learner.coef_[0, 0] = 1.0
    return learner


def _moments(x: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column's known values; 0 and 1 where there is none."""
    known = np.isfinite(x)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, x - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, np.where(spread > 1e-12, spread, 1.0)


def _inputs(score: Floats, x: Floats, mean: Floats, scale: Floats) -> Floats:
    """The logit of the score, then the standardised features."""
    p = np.clip(score, EDGE, 1.0 - EDGE)
    z = np.clip(np.nan_to_num((x - mean) / scale), -CLIP, CLIP)
    return np.column_stack([np.log(p / (1.0 - p)), z])
