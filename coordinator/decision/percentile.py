"""The common scale of confidence: a causal percentile among the last signals (DESIGN.md 4.2).

A component's raw score says little across components: an LSTM's 0.40 may be its best, the baseline's 0.70 its
median. Its rank among its own recent signals says the same for all: 0.7 is "better than 70 % of the last 500".
"""

from __future__ import annotations

import numpy as np

from coordinator.types import Floats, Times

__all__ = ["causal_percentile"]

CHUNK = 4096  # rows of the (chunk, window) comparison held in memory at once


def causal_percentile(
    time: Times, values: Floats, *, window: int = 500, prior: int = 50, low: float = 0.0, high: float = 1.0
) -> Floats:
    """Mid-rank of each value among the last ``window`` values of earlier candles.

    Values of the same candle (other pairs) do not see each other, so the order of pairs changes nothing.

    Parameters
    ----------
    time : ndarray of int, shape (n,)
        Ascending, equal within a candle.
    values : ndarray of float, shape (n,)
        NaN is an absent value: it gets NaN and leaves no trace in the history.
    window : int
        History length, in values.
    prior : int
        Until so many values are seen, the missing ones are pseudo-values spread evenly over ``low``..``high``.

    Returns
    -------
    ndarray of float, shape (n,)
        0..1, NaN where the value is NaN.

    Examples
    --------
    >>> causal_percentile(np.arange(3), np.array([0.5, 0.9, 0.1]), prior=1)
    array([0.5, 1. , 0. ])
    """
    result = np.full(len(values), np.nan)
    present = np.flatnonzero(~np.isnan(values))
    x, t = values[present], time[present]
    if not len(x):
        return result
    first_of_candle = np.searchsorted(t, t, side="left")
    history = np.lib.stride_tricks.sliding_window_view(np.concatenate((np.full(window, np.nan), x)), window)
    below, equal = np.empty(len(x)), np.empty(len(x))
    for start in range(0, len(x), CHUNK):
        rows = slice(start, start + CHUNK)
        seen = history[first_of_candle[rows]]
        below[rows] = (seen < x[rows, None]).sum(axis=1)
        equal[rows] = (seen == x[rows, None]).sum(axis=1)
    count = np.minimum(first_of_candle, window)
    missing = np.maximum(prior - count, 0)
    uniform = np.clip((x - low) / (high - low), 0.0, 1.0)
    result[present] = (below + 0.5 * equal + missing * uniform) / (count + missing)
    return result
