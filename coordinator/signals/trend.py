"""The channel trend: from a break of the fast channel to one of the opposite exit channel."""

from __future__ import annotations

import numpy as np

from coordinator.settings.signals import BaselineSettings
from coordinator.signals.candles import Candles
from coordinator.signals.indicators import Indicators
from coordinator.signals.series import side
from coordinator.types import SECONDS_PER_DAY, Bools, Ints

__all__ = ["channel_trend", "leaves_channel"]

MAX_MEMORY = 20 * SECONDS_PER_DAY


def leaves_channel(candles: Candles, ind: Indicators) -> tuple[Bools, Bools]:
    """Where the price stands below the exit channel's low (longs leave) and above its high (shorts leave)."""
    with np.errstate(invalid="ignore"):
        return candles.close < ind.exit_low, candles.close > ind.exit_high


def channel_trend(candles: Candles, ind: Indicators, settings: BaselineSettings, clock_seconds: int) -> Ints:
    """Direction of the trend at each candle, shape (n,).

    It begins where the price breaks the fast channel on the trend MA's right side (Donchian), and ends where it breaks
    the exit channel the other way, or when ``fast_channel`` candles of the clock (20 days at most) have passed without
    a new break. So it depends on no more history than that, and a bot's frame shows the trend that the whole history
    shows.
    """
    breaks = _breaks_out(candles, ind, settings)
    leaves = leaves_channel(candles, ind)
    memory = min(settings.fast_channel * clock_seconds, MAX_MEMORY)
    return side(
        *(_lasting(candles, breaks == d, left, memory) for d, left in zip((1, -1), leaves, strict=True))
    )


def _breaks_out(candles: Candles, ind: Indicators, s: BaselineSettings) -> Ints:
    """Direction in which the price stands beyond the fast channel, on the trend MA's right side; shape (n,)."""
    close = candles.close
    with np.errstate(invalid="ignore"):
        return side(
            (close > ind.fast_high * (1 + s.fast_clearance)) & (close > ind.trend_ma),
            (close < ind.fast_low * (1 - s.fast_clearance)) & (close < ind.trend_ma),
        )


def _lasting(candles: Candles, begins: Bools, ends: Bools, memory: int) -> Bools:
    """Whether the last beginning is later than the last end, and no longer ago than the memory, seconds."""
    rows = np.arange(len(candles))
    begun, ended = (np.maximum.accumulate(np.where(event, rows, -1)) for event in (begins, ends))
    since = candles.time - candles.time[np.maximum(begun, 0)]
    return np.asarray((begun > ended) & (since < memory))
