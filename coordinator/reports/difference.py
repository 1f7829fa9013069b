"""Whether one column beats another: the difference of daily returns with a bootstrap interval (DESIGN.md 6)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from coordinator.reports.metrics import DAYS_PER_YEAR
from coordinator.types import Floats

__all__ = ["Difference", "annual_difference"]

DRAWS, BLOCK_DAYS, LEVEL, SEED = 2000, 7.0, 0.90, 0


class Difference(NamedTuple):
    """Of two accounts a year: the mean and its interval's bounds, ratios of the account."""

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
    returns = pd.concat([one.pct_change(), other.pct_change()], axis=1, join="inner").dropna().to_numpy()
    if len(returns) < 10:
        return Difference(*(float("nan"),) * 3)
    daily = returns[:, 0] - returns[:, 1]
    means = _draws(daily)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(*(float(value) * DAYS_PER_YEAR for value in (daily.mean(), low, high)))


def _draws(daily: Floats) -> Floats:
    rng, n = np.random.default_rng(SEED), len(daily)
    starts = rng.integers(0, n, (DRAWS, n))
    fresh = rng.random((DRAWS, n)) < 1.0 / BLOCK_DAYS
    fresh[:, 0] = True
    # Each day continues its block: the block's start plus the days since.
    began = np.maximum.accumulate(np.where(fresh, np.arange(n), 0), axis=1)
    index = (np.take_along_axis(starts, began, axis=1) + np.arange(n) - began) % n
    means: Floats = daily[index].mean(axis=1)
    return means
