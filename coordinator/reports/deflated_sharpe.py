"""The deflated Sharpe ratio: how sure a Sharpe ratio is above 0 when the best of many variants is shown."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pandas as pd

from coordinator.reports.metrics import DAYS_PER_YEAR
from coordinator.types import Floats

__all__ = ["deflated_score", "deflated_sharpe", "expected_best", "probability_above"]

EULER = 0.5772156649015329
LEAST_SPREAD = 1e-12
MOST_ERRORS = 50.0


def expected_best(trials: int, spread: float) -> float:
    """Sharpe ratio expected of the best of several variants of which none has any; in the spread's unit.

    Parameters
    ----------
    trials : variants tried, 1 or more
    spread : standard deviation of the variants' Sharpe ratios

    Examples
    --------
    >>> round(expected_best(1, 0.5), 3), round(expected_best(100, 0.5), 3)
    (0.0, 1.265)
    """
    if trials < 2:
        return 0.0
    normal = NormalDist()
    high, higher = normal.inv_cdf(1 - 1 / trials), normal.inv_cdf(1 - 1 / (trials * math.e))
    return spread * ((1 - EULER) * high + EULER * higher)


def probability_above(bar: float, ratio: float, count: int, skew: float, kurtosis: float) -> float:
    """Probability that a true Sharpe ratio is above a bar, 0..1 (the probabilistic Sharpe ratio of the same paper).

    Parameters
    ----------
    bar, ratio : the bar and what was measured, both of one return, not of a year
    count : returns measured, 2 or more
    skew, kurtosis : of the returns; 0 and 3 for normal ones

    Examples
    --------
    The paper's example: 2.5 a year over five years of 250 days, skew -3, kurtosis 10, the best of 100 trials
    whose Sharpe ratios have a variance of 1/2 a year.

    >>> bar = expected_best(100, math.sqrt(0.5 / 250))
    >>> round(bar, 4), round(probability_above(bar, 2.5 / math.sqrt(250), 1250, -3, 10), 4)
    (0.1132, 0.9004)
    """
    return NormalDist().cdf((ratio - bar) * math.sqrt(count - 1) / _error(ratio, skew, kurtosis))


def deflated_sharpe(daily: pd.Series, trials: int, spread: float) -> float:
    """Probability that the true Sharpe ratio is above what the best of the variants shows by luck alone, 0..1.

    Bailey and Lopez de Prado, The deflated Sharpe ratio, Journal of Portfolio Management 40 (5), 2014: corrected for
    the number of trials, the length of the sample, skewness and fat tails.

    Parameters
    ----------
    daily : account values by day
    trials : variants tried
    spread : standard deviation of their Sharpe ratios, per year

    Returns
    -------
    float
        NaN with fewer than ten returns, or where none differs from another.
    """
    returns: Floats = np.asarray(daily.pct_change().dropna(), dtype=np.float64)
    deviation = returns.std(ddof=1) if len(returns) > 9 else 0.0
    if not deviation > 0:
        return float("nan")
    ratio = float(returns.mean() / deviation)
    bar = expected_best(trials, spread) / math.sqrt(DAYS_PER_YEAR)
    return probability_above(bar, ratio, len(returns), *_moments(returns))


def deflated_score(returns: Floats, trials: int, spread: float) -> float:
    """By how many standard errors the Sharpe ratio is above what the best of the variants shows by luck alone.

    As :func:`deflated_sharpe`, but for the standard error, which is that of a variant at the bar: so the score never
    falls where every day earns the same amount more, whatever the skewness, and unlike a probability it does not end
    at 1.

    Parameters
    ----------
    returns : ndarray of shape (days,)
        Return of each day.
    trials, spread : as for :func:`deflated_sharpe`

    Returns
    -------
    float
        -50..50; where no day differs from another, the end of the range on the side of their mean. With fewer than
        two days, or where nothing was earned or lost, the score of a Sharpe ratio of 0.

    Examples
    --------
    >>> days = np.array([0.01, -0.005, 0.02, 0.0, -0.01] * 20)
    >>> round(deflated_score(days, 1, 0.5), 2), round(deflated_score(days, 100, 0.5), 2)
    (2.76, 2.13)
    """
    bar = expected_best(trials, spread) / math.sqrt(DAYS_PER_YEAR)
    root = math.sqrt(max(len(returns) - 1, 1))
    mean = float(returns.mean()) if len(returns) else 0.0
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    if deviation <= LEAST_SPREAD:
        return -bar * root if abs(mean) <= LEAST_SPREAD else math.copysign(MOST_ERRORS, mean)
    score = (mean / deviation - bar) * root / _error(bar, *_moments(returns))
    return min(max(score, -MOST_ERRORS), MOST_ERRORS)


def _error(ratio: float, skew: float, kurtosis: float) -> float:
    """Standard error of the Sharpe ratio times the root of (n - 1), at a ratio."""
    return math.sqrt(max(1e-12, 1 - skew * ratio + (kurtosis - 1) / 4 * ratio * ratio))


def _moments(returns: Floats) -> tuple[float, float]:
    """Skewness and kurtosis (3 of a normal distribution)."""
    off = (returns - returns.mean()) / returns.std()
    return float(np.mean(off**3)), float(np.mean(off**4))
