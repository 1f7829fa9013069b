"""The deflated Sharpe ratio: how sure a Sharpe ratio is above 0 when the best of many variants is shown."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pandas as pd

from coordinator.reports.metrics import DAYS_PER_YEAR

__all__ = ["deflated_sharpe", "expected_best", "probability_above"]

EULER = 0.5772156649015329


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
    error = math.sqrt(max(1e-12, 1 - skew * ratio + (kurtosis - 1) / 4 * ratio * ratio))
    return NormalDist().cdf((ratio - bar) * math.sqrt(count - 1) / error)


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
    returns = daily.pct_change().dropna().to_numpy()
    deviation = returns.std(ddof=1) if len(returns) > 9 else 0.0
    if not deviation > 0:
        return float("nan")
    off = (returns - returns.mean()) / returns.std()
    skew, kurtosis = float(np.mean(off**3)), float(np.mean(off**4))
    ratio = float(returns.mean() / deviation)
    bar = expected_best(trials, spread) / math.sqrt(DAYS_PER_YEAR)
    return probability_above(bar, ratio, len(returns), skew, kurtosis)
