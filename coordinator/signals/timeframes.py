"""Which candle of a higher timeframe a base candle may know: the last one that has closed."""

from __future__ import annotations

import numpy as np

from coordinator.signals.candles import Candles
from coordinator.types import Ints

__all__ = ["last_closed"]


def last_closed(base: Candles, other: Candles) -> Ints:
    """Index into ``other`` of its last candle closed at or before each base candle's close; -1 if there is none.

    Both candles are labelled by their open time, as Freqtrade does, so a 4h candle that closes together with a 1h
    candle is known at that 1h candle and not one earlier.

    Examples
    --------
    >>> hours = np.arange(6) * 3600
    >>> one, four = (Candles(t, t, t, t, t, t, s) for t, s in ((hours, 3600), (hours[::4], 14400)))
    >>> last_closed(one, four)
    array([-1, -1, -1,  0,  0,  0])
    """
    return (
        np.searchsorted(other.time + other.seconds, base.time + base.seconds, side="right").astype(np.int64)
        - 1
    )
