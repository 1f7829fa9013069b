"""The common scale of confidence: a causal percentile among the last signals (DESIGN.md 4.2).

A component's raw score says little across components: an LSTM's 0.40 may be its best, the baseline's 0.70 its
median. Its rank among its own recent signals says the same for all: 0.7 is "better than 70 % of the last 500".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coordinator.types import Bools, Floats, Times

__all__ = ["causal_percentile"]

CHUNK = 256  # rows of the (chunk, window) comparison held at once: small enough for the cache


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
    known, t = values[present], time[present]
    if not len(known):
        return result
    first_of_candle = np.searchsorted(t, t, side="left")
    # Only the order counts: small integers compare several times as fast as floats.
    highest = 2**15 - 1 if len(known) < 2**15 - 1 else 2**31 - 1
    kind = np.int16 if highest == 2**15 - 1 else np.int32
    codes = np.unique(known, return_inverse=True)[1].astype(kind)
    padding = np.full(window, highest, dtype=kind)  # neither below nor equal to any
    history = np.lib.stride_tricks.sliding_window_view(np.concatenate((padding, codes)), window)
    below, equal = np.empty(len(known)), np.empty(len(known))
    for start in range(0, len(known), CHUNK):
        rows = slice(start, start + CHUNK)
        previous, own = history[first_of_candle[rows]], codes[rows, None]
        below[rows], equal[rows] = _count(previous < own), _count(previous == own)
    count = np.minimum(first_of_candle, window)
    missing = np.maximum(prior - count, 0)
    uniform = np.clip((known - low) / (high - low), 0.0, 1.0)
    result[present] = (below + 0.5 * equal + missing * uniform) / (count + missing)
    return result


def _count(true: Bools) -> npt.NDArray[np.uint16]:
    counted: npt.NDArray[np.uint16] = np.add.reduce(true.view(np.uint8), axis=1, dtype=np.uint16)
    return counted
