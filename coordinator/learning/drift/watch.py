"""Whether a model still lives in the market it was trained on: its features, its errors, its calibration.

Errors are watched by ADWIN (Bifet and Gavalda, Learning from time-changing data with adaptive windowing, 2007; river),
outcome by outcome. It takes them for independent, and outcomes that overlap are not: a rise that it finds counts only
where the mean errors of blocks of time as long as a label confirm it. Calibration is judged by such blocks alone. They
are few, so both are judged as Student's t.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coordinator.decision.edge import student_as_normal
from coordinator.learning.drift.limits import DriftLimits, FeatureDrift, drift_limits, feature_drift
from coordinator.settings.continuous_learning import ContinuousLearningSettings
from coordinator.types import SECONDS_PER_DAY, Floats, Times

__all__ = ["DriftReport", "Scored", "TrainingMarks", "check_drift", "training_marks"]

LEAST_BLOCKS = 5
STREAM = 1000
MEANS = ("stream", "errors", "biases")
SHOWN = 5


class Scored(NamedTuple):
    """Resolved samples with a model's scores on them, in time order; arrays of shape (n,).

    Attributes
    ----------
    time : int, seconds
    p : float, 0..1
    y : float, 0..1
    """

    time: Times
    p: Floats
    y: Floats

    def after(self, time: int) -> Scored:
        """Those from a time on."""
        rows = self.time >= time
        return Scored(self.time[rows], self.p[rows], self.y[rows])


class Blocks(NamedTuple):
    """Means of blocks of time, one value each."""

    error: Floats
    bias: Floats

    @classmethod
    def of(cls, scored: Scored, seconds: int) -> Blocks:
        """Mean squared error, and mean of prediction less outcome."""
        if not len(scored.time):
            return cls(np.empty(0), np.empty(0))
        _, block = np.unique(scored.time // seconds, return_inverse=True)
        count = np.bincount(block)
        error = np.bincount(block, weights=np.square(scored.p - scored.y)) / count
        return cls(error, np.bincount(block, weights=scored.p - scored.y) / count)


@dataclass(frozen=True)
class TrainingMarks:
    """What drift is measured against, kept with the model.

    Attributes
    ----------
    limits : DriftLimits
    stream : the judged slice's squared errors in time order, as many as are kept
    errors, biases : its block means, oldest first
    block_days : length of a block
    """

    limits: DriftLimits
    stream: Sequence[float]
    errors: Sequence[float]
    biases: Sequence[float]
    block_days: float

    def as_json(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "limits": self.limits.as_json(),
            **{name: [float(f"{v:.6g}") for v in getattr(self, name)] for name in MEANS},
            "block_days": self.block_days,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingMarks:
        """What ``as_json`` gave."""
        limits = DriftLimits.from_json(values["limits"])
        stream, errors, biases = (values[name] for name in MEANS)
        return cls(limits, stream, errors, biases, float(values["block_days"]))


@dataclass(frozen=True)
class DriftReport:
    """The answer, with its figures.

    Attributes
    ----------
    features : FeatureDrift or None
        None with too few new rows.
    names : the features' names
    error_before, error_now : mean squared error before ADWIN's cut and after it; NaN where it made none
    error_change : standard errors by which the blocks' mean error has changed; NaN where unknown
    error_rose : whether ADWIN found a rise that the blocks confirm; that it fell is no drift
    calibration : standard errors by which prediction less outcome has changed; NaN where unknown
    calibration_changed : bool
    resolved : outcomes since the training that were looked at
    """

    features: FeatureDrift | None
    names: tuple[str, ...]
    error_before: float
    error_now: float
    error_change: float
    error_rose: bool
    calibration: float
    calibration_changed: bool
    resolved: int

    @property
    def drifted(self) -> bool:
        """Whether any of the three has."""
        return bool(self.features and self.features.drifted) or self.error_rose or self.calibration_changed

    @property
    def moved(self) -> list[str]:
        """Features beyond their limits, the farthest first."""
        if self.features is None:
            return []
        f = self.features
        order = np.argsort(-f.psi, kind="stable")
        return [self.names[column] for column in order if f.moved[column] or f.broken[column]]

    @property
    def sentence(self) -> str:
        """In words, for the log, an alert and the ledger."""
        parts = []
        if self.features is None:
            parts.append("too few new samples to compare features")
        else:
            state = "moved" if self.features.drifted else "as in training"
            named = ", ".join(self.moved[:SHOWN])
            named += f" and {len(self.moved) - SHOWN} more" if len(self.moved) > SHOWN else ""
            beyond = f": {named}" if named else ""
            parts.append(f"features {state} ({self.features.share:.0%} beyond their limits{beyond})")
        if self.error_rose:
            parts.append(f"error rose from {self.error_before:.4f} to {self.error_now:.4f}")
        elif self.resolved:
            parts.append(f"error steady over {self.resolved} outcomes")
        if self.calibration_changed:
            parts.append(f"calibration changed by {self.calibration:+.1f} standard errors")
        return "; ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """JSON types."""
        f = self.features
        return {
            "drifted": self.drifted,
            "rows": 0 if f is None else f.rows,
            "share": None if f is None else f.share,
            "features_drifted": bool(f and f.drifted),
            "moved": self.moved,
            "psi": {} if f is None else dict(zip(self.names, f.psi.round(4).tolist(), strict=True)),
            "ks": {} if f is None else dict(zip(self.names, f.ks.round(4).tolist(), strict=True)),
            "error_rose": self.error_rose,
            "error_before": self.error_before,
            "error_now": self.error_now,
            "error_change": self.error_change,
            "calibration": self.calibration,
            "calibration_changed": self.calibration_changed,
            "resolved": self.resolved,
        }


def training_marks(
    x: Floats, judged: Scored, block_days: float, settings: ContinuousLearningSettings
) -> TrainingMarks:
    """What is kept of a training.

    Parameters
    ----------
    x : ndarray of shape (n, n_features)
        Training features in time order.
    judged : Scored
        The slice that the model was judged on.
    block_days : length of a label, at least a day
    """
    blocks = Blocks.of(judged, round(block_days * SECONDS_PER_DAY))
    limits = drift_limits(
        x, settings.drift_window, settings.drift_level, settings.drift_psi, settings.drift_features
    )
    stream = np.square(judged.p - judged.y)[-STREAM:].tolist()
    return TrainingMarks(limits, stream, blocks.error.tolist(), blocks.bias.tolist(), block_days)


def check_drift(
    marks: TrainingMarks,
    x: Floats,
    names: tuple[str, ...],
    scored: Scored,
    settings: ContinuousLearningSettings,
) -> DriftReport:
    """Compare what came since the training with it.

    Parameters
    ----------
    x : ndarray of shape (n, n_features)
        Rows that the model was not trained on, in time order; the newest ``marks.limits.window`` count.
    scored : Scored
        Resolved ones after the judged slice.
    """
    blocks = Blocks.of(scored, round(marks.block_days * SECONDS_PER_DAY))
    stream = [*marks.stream, *np.square(scored.p - scored.y).tolist()]
    before, now = _adwin(stream, len(marks.stream), settings.adwin_delta)
    rise, z = _change(np.asarray(marks.errors), blocks.error), _change(np.asarray(marks.biases), blocks.bias)
    return DriftReport(
        features=feature_drift(marks.limits, x[-marks.limits.window :]),
        names=names,
        error_before=before,
        error_now=now,
        error_change=rise,
        error_rose=now > before and rise > settings.change_errors,
        calibration=z,
        calibration_changed=abs(z) > settings.change_errors,
        resolved=len(scored.time),
    )


def _adwin(errors: Sequence[float], known: int, delta: float) -> tuple[float, float]:
    """Means before and after ADWIN's last cut among the new errors; NaN without one."""
    from river.drift import ADWIN  # slow to load, and not every run watches

    watch = ADWIN(delta=delta)
    found = (float("nan"), float("nan"))
    for place, error in enumerate(errors):
        before = watch.estimation
        watch.update(error)
        if watch.drift_detected and place >= known:
            found = (before, watch.estimation)
    return found


def _change(then: Floats, now: Floats) -> float:
    """Difference of the means in standard errors, as a normal variable; NaN with too few blocks."""
    if len(then) < LEAST_BLOCKS or len(now) < LEAST_BLOCKS:
        return float("nan")
    error = np.sqrt(then.var(ddof=1) / len(then) + now.var(ddof=1) / len(now))
    if not error > 0:
        return float("nan")
    return student_as_normal(float((now.mean() - then.mean()) / error), min(len(then), len(now)) - 1)
