"""Causal building blocks on plain arrays that TA-Lib does not have."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coordinator.types import Bools, Floats, Ints

__all__ = [
    "changed",
    "lag",
    "rolling_correlation",
    "rolling_percentile",
    "rolling_std",
    "safe_divide",
    "side",
]

CHUNK = 1024  # windows that are held at once: few enough for the cache, and the same bits


def lag(values: Floats, periods: int) -> Floats:
    """Shift forward in time; the first ``periods`` entries are NaN.

    >>> lag(np.array([1.0, 2.0, 3.0]), 1)
    array([nan,  1.,  2.])
    """
    out = np.full(len(values), np.nan)
    if periods < len(values):
        out[periods:] = values[: len(values) - periods]
    return out


def safe_divide(numerator: Floats, denominator: Floats, default: float = 0.0) -> Floats:
    """Element-wise quotient; ``default`` where the denominator is zero, NaN where either is NaN.

    Examples
    --------
    >>> safe_divide(np.array([1.0, 1.0, np.nan]), np.array([2.0, 0.0, 0.0]))
    array([0.5, 0. , nan])
    """
    zero = denominator == 0
    return np.where(
        zero, np.where(np.isnan(numerator), np.nan, default), numerator / np.where(zero, 1, denominator)
    )


def changed(direction: Ints) -> Bools:
    """True where a direction is taken up: non-zero now and different one candle before.

    The first candle is never a change: what came before it is unknown.

    Examples
    --------
    >>> np.flatnonzero(changed(np.array([1, 1, 0, 1, -1, -1]))).tolist()
    [3, 4]
    """
    out = np.zeros(len(direction), dtype=bool)
    out[1:] = (direction[1:] != 0) & (direction[1:] != direction[:-1])
    return out


def side(long: Bools, short: Bools) -> Ints:
    """Two exclusive conditions as a direction; NaN comparisons are False, hence 0."""
    return long.astype(np.int64) - short.astype(np.int64)


def rolling_std(values: Floats, window: int) -> Floats:
    """Population standard deviation of the last ``window`` values, each window summed afresh.

    No running sums: what a window says never depends on what lies before it, so a truncated or longer history
    gives the same bits. NaN until the window is full or while it holds a NaN.
    """
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        view = np.lib.stride_tricks.sliding_window_view(values, window)
        for first in range(0, len(view), CHUNK):
            out[window - 1 + first :][:CHUNK] = view[first : first + CHUNK].std(axis=1)
    return out


def rolling_percentile(values: Floats, window: int) -> Floats:
    """Percentile rank (0..1] of each value among the last ``window`` values, itself included.

    NaN until the window is full.

    Examples
    --------
    >>> rolling_percentile(np.array([3.0, 1.0, 2.0, 5.0]), 3).round(2)
    array([ nan,  nan, 0.67, 1.  ])
    """
    return pd.Series(values).rolling(window).rank(pct=True).to_numpy(dtype=float)


def rolling_correlation(a: Floats, b: Floats, window: int) -> Floats:
    """Pearson correlation of the last ``window`` values of two series, each window summed afresh; -1..1.

    NaN until the window is full or while it holds a NaN in either; 0 where one of them does not move.

    >>> rolling_correlation(np.array([1.0, 2.0, 4.0]), np.array([2.0, 4.0, 8.0]), 3).round(9)
    array([nan, nan,  1.])
    """
    out = np.full(len(a), np.nan)
    if len(a) >= window:
        windows = [np.lib.stride_tricks.sliding_window_view(values, window) for values in (a, b)]
        for first in range(0, len(windows[0]), CHUNK):
            x, y = (view[first : first + CHUNK] for view in windows)
            x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
            scale = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
            correlation = np.clip(safe_divide((x * y).sum(axis=1), scale), -1.0, 1.0)
            out[window - 1 + first :][:CHUNK] = correlation
    return out
