"""What a signal-quality model predicts: four designs of the label of a resolved signal."""

from __future__ import annotations

import numpy as np

from coordinator.settings.quality import LabelDesign
from coordinator.types import Floats, Ints

__all__ = ["expected_r", "quality_label"]

TARGET, STOP = 1, 2  # indices into decision.outcomes.EXITS


def quality_label(r: Floats, exit_kind: Ints, design: LabelDesign, reward_risk: float) -> Floats:
    """Labels in 0..1, shape (n,); NaN where the signal is unresolved.

    Parameters
    ----------
    r : ndarray of shape (n,)
        Outcome in R after costs; NaN while unresolved.
    exit_kind : ndarray of int, shape (n,)
        Index into ``decision.outcomes.EXITS``.
    design : str
        ``target``: 1 where the target came before the stop within the horizon (the win probability of DESIGN.md 1).
        ``profit``: 1 where R after costs is above 0.
        ``barrier_sign``: the first barrier touched; .5 where neither was touched and the trade ended within .25 R of
        nothing, else the sign (Lopez de Prado 2018, section 3.4, with a band for the undecided).
        ``expected_r``: R from -1 .. reward_risk scaled to 0..1, a soft label whose prediction is an expected R.
    reward_risk : float
        Distance of the target in stop distances.

    Examples
    --------
    >>> r, kind = np.array([2.4, -1.1, 0.3, np.nan]), np.array([1, 2, 3, 0])
    >>> quality_label(r, kind, "target", 2.5)
    array([ 1.,  0.,  0., nan])
    >>> quality_label(r, kind, "expected_r", 2.5).round(2)
    array([0.97, 0.  , 0.37,  nan])
    """
    if design == "target":
        label = (exit_kind == TARGET).astype(np.float64)
    elif design == "profit":
        label = (np.nan_to_num(r) > 0).astype(np.float64)
    elif design == "barrier_sign":
        sign = np.where(np.abs(r) < 0.25, 0.5, (np.nan_to_num(r) > 0).astype(np.float64))
        label = np.where(exit_kind == TARGET, 1.0, np.where(exit_kind == STOP, 0.0, sign))
    else:
        label = np.clip((r + 1.0) / (reward_risk + 1.0), 0.0, 1.0)
    return np.where(np.isfinite(r), label, np.nan)


def expected_r(score: Floats, reward_risk: float) -> Floats:
    """The expected R that a score of the design ``expected_r`` stands for."""
    return score * (reward_risk + 1.0) - 1.0
