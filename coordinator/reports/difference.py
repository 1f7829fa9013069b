"""Whether one column beats another: the difference of daily returns with a bootstrap interval (DESIGN.md 6)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from coordinator.reports.metrics import DAYS_PER_YEAR
from coordinator.types import Floats, Ints

__all__ = ["Difference", "annual_difference", "sharpe_difference"]

DRAWS, BLOCK_DAYS, SEED, FEWEST_DAYS = 2000, 7.0, 0, 10
BOUNDS = (0.05, 0.95)  # of the 90 % interval


class Difference(NamedTuple):
    """Of two accounts: the mean and its interval's bounds; ratios of the account a year, or Sharpe ratios."""

    mean: float
    low: float
    high: float


def annual_difference(one: pd.Series, other: pd.Series) -> Difference:
    """Mean daily return of one account less the other's, a year, with its 90 % interval.

    Stationary bootstrap (Politis and Romano 1994) with blocks of seven days on average, 2,000 draws, one seed.

    Parameters
    ----------
    one, other : pandas.Series
        Daily account values by day.

    Returns
    -------
    Difference
        NaN where the two have fewer than ten days in common.
    """
    returns = _common_returns(one, other)
    if len(returns) < FEWEST_DAYS:
        return Difference(*(float("nan"),) * 3)
    daily = returns[:, 0] - returns[:, 1]
    low, high = np.quantile(daily[_drawn_days(len(daily))].mean(axis=1), BOUNDS)
    return Difference(*(float(value) * DAYS_PER_YEAR for value in (daily.mean(), low, high)))


def sharpe_difference(one: pd.Series, other: pd.Series) -> Difference:
    """Sharpe ratio of one account less the other's, per year, with its 90 % interval; parameters as above.

    The days of both are drawn together, as Ledoit and Wolf (2008, Robust performance hypothesis testing with the Sharpe
    ratio) do. An account without any move has a ratio of 0 here.
    """
    returns = _common_returns(one, other)
    if len(returns) < FEWEST_DAYS:
        return Difference(*(float("nan"),) * 3)
    index = _drawn_days(len(returns))
    drawn = _ratios(returns[:, 0][index]) - _ratios(returns[:, 1][index])
    mean = float(_ratios(returns[:, :1].T)[0] - _ratios(returns[:, 1:].T)[0])
    low, high = np.quantile(drawn, BOUNDS)
    return Difference(mean, float(low), float(high))


def _common_returns(one: pd.Series, other: pd.Series) -> Floats:
    both = pd.concat([one.pct_change(), other.pct_change()], axis=1, join="inner").dropna()
    return np.asarray(both, dtype=np.float64)


def _ratios(returns: Floats) -> Floats:
    """Sharpe ratio a year of each row of daily returns."""
    spread = returns.std(axis=1, ddof=1)
    moving = spread > 1e-15
    ratio = np.divide(returns.mean(axis=1), spread, out=np.zeros(len(returns)), where=moving)
    return np.asarray(ratio * np.sqrt(DAYS_PER_YEAR), dtype=np.float64)


@lru_cache(maxsize=4)
def _drawn_days(n: int) -> Ints:
    """Days of each draw, shape (DRAWS, n)."""
    rng = np.random.default_rng(SEED)
    starts = rng.integers(0, n, (DRAWS, n))
    fresh = rng.random((DRAWS, n)) < 1.0 / BLOCK_DAYS
    fresh[:, 0] = True
    # Each day continues its block: the block's start plus the days since.
    began = np.maximum.accumulate(np.where(fresh, np.arange(n), 0), axis=1)
    index = (np.take_along_axis(starts, began, axis=1) + np.arange(n) - began) % n
    return np.asarray(index, dtype=np.int64)
