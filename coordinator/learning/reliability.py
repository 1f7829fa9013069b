"""How good win probabilities are: reliability diagram, ECE, Brier score and skill. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.types import Bools, Floats, Ints

__all__ = ["Reliability", "brier", "brier_skill", "ece", "reliability"]


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram; arrays of shape (bins,).

    Attributes
    ----------
    predicted : float, mean win probability of the bin; NaN where it is empty
    observed : float, win rate of the bin; NaN where it is empty
    count : int
    """

    predicted: Floats
    observed: Floats
    count: Ints


def _known(p: Floats, won: Bools) -> tuple[Floats, Floats]:
    here = ~np.isnan(p)
    return p[here], won[here].astype(np.float64)


def reliability(p: Floats, won: Bools, bins: int = 10) -> Reliability:
    """Predicted against observed win rate in equal bins of the prediction.

    Parameters
    ----------
    p : ndarray of float, shape (n,)
        0..1; NaN rows are passed over.
    won : ndarray of bool, shape (n,)
    """
    x, y = _known(p, won)
    index = np.clip((x * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(index, minlength=bins).astype(np.int64)
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(index, weights=x, minlength=bins) / count
        observed = np.bincount(index, weights=y, minlength=bins) / count
    return Reliability(predicted, observed, count)


def ece(p: Floats, won: Bools, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): mean distance of the bins from the diagonal, 0..1.

    NaN where there is no outcome.

    Examples
    --------
    >>> round(ece(np.array([0.2, 0.2, 0.2, 0.2]), np.array([True, False, False, False])), 3)
    0.05
    """
    diagram = reliability(p, won, bins)
    total = int(diagram.count.sum())
    if not total:
        return float("nan")
    distance = np.nan_to_num(np.abs(diagram.predicted - diagram.observed))
    return float((distance * diagram.count).sum() / total)


def brier(p: Floats, won: Bools) -> float:
    """Mean squared error of the probability (Brier 1950), 0..1; NaN where there is no outcome.

    Examples
    --------
    >>> brier(np.array([0.5, 1.0]), np.array([True, True]))
    0.125
    """
    x, y = _known(p, won)
    return float(np.square(x - y).mean()) if len(x) else float("nan")


def brier_skill(p: Floats, won: Bools, base: float | None = None) -> float:
    """1 - Brier / Brier of a constant: above 0 is better than the constant, 1 is perfect.

    Parameters
    ----------
    base : float, optional
        The constant; by default the win rate of these very outcomes, which is the hardest constant to beat.

    Returns
    -------
    float
        NaN where the constant makes no error, or there is no outcome.

    Examples
    --------
    >>> won = np.array([True, True, False, False])
    >>> brier_skill(np.array([0.8, 0.6, 0.4, 0.2]), won), round(brier_skill(np.full(4, 0.9), won), 2)
    (0.6, -0.64)
    """
    x, y = _known(p, won)
    if not len(x):
        return float("nan")
    constant = float(y.mean()) if base is None else base
    reference = float(np.square(constant - y).mean())
    return 1.0 - brier(p, won) / reference if reference > 0.0 else float("nan")
