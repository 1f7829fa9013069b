"""The portfolio's volatility target: how much of a new position fits below it (Moreira and Muir 2017, entries only)."""

from __future__ import annotations

import math

import numpy as np

from coordinator.types import Floats

__all__ = ["fitting_share"]


def fitting_share(covariance: Floats, weights: Floats, added: Floats, target: float) -> float:
    """Greatest share, 0..1, of an addition that keeps the portfolio's volatility at or below a target.

    Parameters
    ----------
    covariance : shape (k, k), of the pairs' returns per day; a pair whose row is not finite counts as cash
    weights, added : shape (k,), notional over equity, shorts negative; of what is held, and of what would be added
    target : standard deviation of a day's return, ratio

    Examples
    --------
    >>> variance = np.array([[0.04**2]])
    >>> [round(fitting_share(variance, np.array([w]), np.array([0.5]), 0.02), 3) for w in (0.0, 0.25, 0.5, 0.9)]
    [1.0, 0.5, 0.0, 0.0]
    """
    known = np.isfinite(np.diag(covariance)) & (np.isfinite(covariance).sum(axis=1) > 0)
    usable = np.where(np.outer(known, known) & np.isfinite(covariance), covariance, 0.0)
    held = float(weights @ usable @ weights) - target * target
    cross, own = float(weights @ usable @ added), float(added @ usable @ added)
    if held + 2.0 * cross + own <= 0.0:
        return 1.0
    if own <= 0.0:
        return 0.0
    root = cross * cross - own * held
    return min(1.0, max(0.0, (math.sqrt(root) - cross) / own)) if root > 0.0 else 0.0
