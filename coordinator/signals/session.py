"""How active an hour usually is: the volume of the same hour on the days before."""

from __future__ import annotations

import numpy as np

from coordinator.signals.candles import Candles
from coordinator.types import SECONDS_PER_DAY, Floats, Ints

__all__ = ["session_activity"]


def session_activity(candles: Candles, index: Ints, days: int) -> Floats:
    """Usual volume of the candle that comes next, over the mean of all candles: ratio, 1 is average.

    A signal is entered in the candle after its own. What that hour of the day traded on the last ``days`` days is
    known before it begins, and so is the mean of those days: nothing of the next candle itself is read.

    Parameters
    ----------
    index : int, shape (n,), the candles wanted

    Returns
    -------
    ndarray of shape (n,)
        NaN until ``days`` days have passed, where half of the candles or more are missing, and where nothing was
        traded.
    """
    per_day = max(1, SECONDS_PER_DAY // candles.seconds)
    window = per_day * days
    out = np.full(len(index), np.nan)
    if not len(candles):
        return out
    slot = (candles.time - candles.time[0]) // candles.seconds
    full = np.flatnonzero(slot[index] >= window - 1)
    if not len(full):
        return out
    volume = np.full(int(slot[-1]) + 1, np.nan)
    volume[slot] = candles.volume
    last = np.lib.stride_tricks.sliding_window_view(volume, window)[slot[index[full]] - window + 1]
    enough = np.isfinite(last).sum(axis=1) * 2 > window
    # The first candle of the window is whole days before the next one, and so is every per_day-th after it.
    usual, mean = _mean(last[:, ::per_day]), _mean(last)
    known = enough & (mean > 0)
    out[full] = np.where(known, usual / np.where(known, mean, 1.0), np.nan)
    return out


def _mean(values: Floats) -> Floats:
    """Mean of each row's finite values, NaN where there is none."""
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    return np.where(count > 0, np.where(finite, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
