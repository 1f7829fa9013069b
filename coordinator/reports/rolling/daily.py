"""Sums by day, and windows of days over them: all windows of a run at once."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from coordinator.reports.rolling.run_data import NEVER, day_of
from coordinator.types import Bools, Floats, Ints

__all__ = ["by_day", "covered", "ratio", "rolling_drawdown", "rolling_sharpe", "rolling_sum", "windows"]

DAYS_PER_YEAR = 365.0
LEAST_SPREAD = 1e-12


def by_day(days: Ints, moments: Ints, values: Floats | Bools | None = None) -> Floats:
    """Sum of the values whose moments belong to each day, shape (n_days,); without values their number.

    Parameters
    ----------
    days : ndarray of int, consecutive numbers of days
    moments : ndarray of int, shape (n,)
        Seconds since the epoch; those outside the days, and of things that have not happened, count nowhere.
    """
    if not len(days):
        return np.zeros(0)
    day = np.where(moments == NEVER, -1, day_of(moments)) - days[0]
    inside = (moments != NEVER) & (day >= 0) & (day < len(days))
    weights = None if values is None else np.nan_to_num(np.asarray(values, dtype=np.float64))[inside]
    return np.bincount(day[inside], weights, minlength=len(days)).astype(np.float64)


def windows(daily: Floats, length: int, missing: float = np.nan) -> Floats:
    """The last ``length`` days up to each, shape (n_days, length); what lies before the first day is ``missing``."""
    padded = np.concatenate((np.full(length - 1, missing), daily))
    return np.asarray(sliding_window_view(padded, length)) if len(daily) else np.zeros((0, length))


def rolling_sum(daily: Floats, length: int) -> Floats:
    """Sum of the last ``length`` days up to each.

    Examples
    --------
    >>> rolling_sum(np.array([1.0, 2.0, 4.0]), 2)
    array([1., 3., 6.])
    """
    return np.asarray(windows(daily, length, 0.0).sum(axis=1))


def covered(n_days: int, length: int) -> Floats:
    """How many days each window has: fewer at the beginning of a run."""
    return np.minimum(np.arange(1, n_days + 1, dtype=np.float64), length)


def ratio(part: Floats, whole: Floats) -> Floats:
    """``part / whole``; NaN where both are 0, infinite where only the whole is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(part / whole)


def rolling_sharpe(daily: Floats, length: int) -> Floats:
    """Mean over standard deviation (n - 1) of the days' returns, times the root of 365; days without a trade count.

    NaN with fewer than two days, or where no day differs from another.
    """
    own = windows(daily, length)
    n = covered(len(daily), length)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nansum(own, axis=1) / n
        spread = np.sqrt(np.nansum((own - mean[:, None]) ** 2, axis=1) / (n - 1))
        out = mean / spread * np.sqrt(DAYS_PER_YEAR)
    return np.where((n > 1) & (spread > LEAST_SPREAD), out, np.nan)


def rolling_drawdown(daily: Floats, length: int) -> Floats:
    """Largest fall below an earlier high within the window, ratio of that high; the account is 1 where it begins.

    Returns are added up, not compounded.

    Examples
    --------
    >>> rolling_drawdown(np.array([0.25, -0.5, 0.1]), 3).round(3)
    array([0. , 0.4, 0.4])
    """
    if not len(daily):
        return np.zeros(0)
    account = 1.0 + np.cumsum(windows(daily, length, 0.0), axis=1)
    account = np.column_stack((np.ones(len(daily)), account))
    high = np.maximum.accumulate(account, axis=1)
    return np.asarray((1.0 - account / high).max(axis=1))
