"""Whether one group of outcomes makes more than another: sums by day, and how sure one can be.

Outcomes that become known on one day are one observation: pairs win and lose together, and the signals of one trend
leave at one exit. So standard errors are clustered by day (Liang and Zeger, "Longitudinal data analysis using
generalized linear models", 1986), and days as near as a trade is long are not independent either (Newey and West, "A
simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance matrix", 1987).

``edge_probability`` may be asked as often as one likes: its Bayes factor is a mixture of likelihood ratios, so without
an edge it ever exceeds K with probability 1 / K at most (Ville 1939; Robbins, "Statistical methods related to the law
of the iterated logarithm", 1970).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from coordinator.types import Floats, Ints

__all__ = ["Gain", "edge_probability", "gain_probability", "mean_gain", "student_as_normal"]


class Gain(NamedTuple):
    """By how much one group's mean exceeds another's, and the standard error of that; same unit."""

    mean: float
    error: float


UNKNOWN = Gain(0.0, math.inf)


def mean_gain(
    count: Floats,
    total: Floats,
    other_count: Floats,
    other_total: Floats,
    day: Ints | None = None,
    lag: int = 0,
) -> Gain:
    """Mean outcome of one group less that of another, clustered by day.

    Parameters
    ----------
    count, total : ndarray of float, shape (days,)
        Outcomes of each day in the group, and their sum; an outcome may be in both groups.
    other_count, other_total : likewise of the other group
    day : ndarray of int, shape (days,)
        Number of each day, ascending; by default one after another. Days that are left out had no outcome.
    lag : int
        Days between which outcomes depend on each other.

    Returns
    -------
    Gain
        (0, inf) where a group is empty or there are fewer than three days.

    Examples
    --------
    >>> import numpy as np
    >>> ones = np.ones(4)
    >>> mean_gain(ones, np.array([2.0, 0.0, 2.0, 0.0]), ones, np.array([1.0, -1.0, 1.0, -1.0]))
    Gain(mean=1.0, error=0.0)
    """
    n, m = float(count.sum()), float(other_count.sum())
    if n == 0.0 or m == 0.0 or len(count) < 3:
        return UNKNOWN
    mean, other = float(total.sum()) / n, float(other_total.sum()) / m
    influence = (total - count * mean) / n - (other_total - other_count * other) / m
    days = len(count)
    return Gain(mean - other, math.sqrt(_variance(influence, day, lag) * days / (days - 1)))


def _variance(influence: Floats, day: Ints | None, lag: int) -> float:
    """Variance of a sum of days that depend on those up to ``lag`` before, with falling (Bartlett) weights.

    Never less than that of independent days: in a short sample the estimate is far too small now and then.
    """
    if day is not None and lag:
        every = np.zeros(int(day[-1] - day[0]) + 1)
        every[day - day[0]] = influence
        influence = every
    variance = alone = float((influence**2).sum())
    for apart in range(1, min(lag, len(influence) - 1) + 1):
        near = float((influence[apart:] * influence[:-apart]).sum())
        variance += 2.0 * (1.0 - apart / (lag + 1)) * near
    return max(variance, alone)


def gain_probability(gain: Gain) -> float:
    """P(gain > 0) under a flat prior; half where nothing is known.

    Examples
    --------
    >>> round(gain_probability(Gain(0.1, 0.1)), 3), gain_probability(UNKNOWN)
    (0.841, 0.5)
    """
    if gain.error > 0.0:
        return 0.5 * math.erfc(-gain.mean / gain.error / math.sqrt(2.0))
    return 0.5 if gain.mean == 0.0 else float(gain.mean > 0.0)


def edge_probability(gain: Gain, prior: float, scale: float) -> float:
    """P(gain > 0) where most learners have no edge: with probability ``prior`` half-normal, else 0.

    Parameters
    ----------
    prior : float
        0 < prior < 1. Without an edge the result ever reaches c, however often it is asked, with probability
        prior / (1 - prior) x (1 - c) / c at most: 1/6 and .8 make .05.
    scale : float
        Of the half-normal, > 0, in the unit of the gain: an edge is mostly smaller than this.

    Examples
    --------
    >>> [round(edge_probability(Gain(z / 10, 0.1), 1 / 6, 0.2), 3) for z in (-2, 0, 2, 3)]
    [0.032, 0.082, 0.46, 0.867]
    """
    if not 0.0 < gain.error < math.inf:
        return prior if gain.error > 0.0 or gain.mean == 0.0 else float(gain.mean > 0.0)
    own, wide = gain.error**2, gain.error**2 + scale**2
    x = gain.mean / gain.error * scale / math.sqrt(wide)
    log_factor = math.log(2.0) + 0.5 * math.log(own / wide) + _log_scaled_normal(x)
    log_odds = math.log(prior / (1.0 - prior)) + log_factor
    return 1.0 / (1.0 + math.exp(-log_odds)) if log_odds > -700.0 else 0.0


def _log_scaled_normal(x: float) -> float:
    """log(exp(x^2 / 2) x normal distribution function of x)."""
    if x < -20.0:  # the function underflows; this is its tail (Abramowitz and Stegun 26.2.12)
        return math.log1p(-1.0 / (x * x)) - math.log(-x * math.sqrt(2.0 * math.pi))
    return 0.5 * x * x + math.log(0.5 * math.erfc(-x / math.sqrt(2.0)))


def student_as_normal(t: float, freedom: int) -> float:
    """The z that a standard normal variable exceeds as often as Student's t of so many degrees exceeds ``t``.

    Approximation of Wallace, "Bounds on normal approximations to Student's and the chi-square distributions", 1959.

    Examples
    --------
    >>> round(student_as_normal(2.262, 9), 2)  # 5 % of both sides
    1.96
    """
    z = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return math.copysign(z, t)
