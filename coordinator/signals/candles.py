"""A pair's candles as arrays: what every signal is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coordinator.candles.timeframes import timeframe_milliseconds
from coordinator.types import Floats, Times

__all__ = ["Candles", "open_seconds", "timeframe_seconds"]


def timeframe_seconds(timeframe: str) -> int:
    """Length of a timeframe such as "1h" in seconds.

    >>> timeframe_seconds("4h")
    14400
    """
    return timeframe_milliseconds(timeframe) // 1000


def open_seconds(frame: pd.DataFrame) -> Times:
    """Open times of a frame's column date, seconds since the epoch, shape (n,); with a time zone or without (UTC)."""
    seconds: Times = pd.DatetimeIndex(frame["date"]).as_unit("s").asi8
    return seconds


@dataclass(frozen=True)
class Candles:
    """One pair's candles of one timeframe, oldest first, all closed.

    Attributes
    ----------
    time : ndarray of shape (n,)
        Open times, seconds since the epoch, strictly ascending.
    open, high, low, close, volume : ndarray of shape (n,)
        Prices in the quote currency, volume in the base currency. No NaN.
    seconds : int
        Length of a candle.
    """

    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    seconds: int

    def __len__(self) -> int:
        return len(self.time)

    def rows(self, index: slice) -> Candles:
        """Some of the candles, as views."""
        return Candles(
            time=self.time[index],
            open=self.open[index],
            high=self.high[index],
            low=self.low[index],
            close=self.close[index],
            volume=self.volume[index],
            seconds=self.seconds,
        )

    def since(self, time: int | None) -> Candles:
        """Those that open at a time or later, seconds since the epoch, as views; all where it is None."""
        return self if time is None else self.rows(slice(int(self.time.searchsorted(time)), None))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, timeframe: str) -> Candles:
        """From Freqtrade's columns date, open, high, low, close, volume."""
        time = open_seconds(frame)
        opened, high, low, close, volume = (
            np.ascontiguousarray(frame[name].to_numpy(dtype=np.float64))
            for name in ("open", "high", "low", "close", "volume")
        )
        return cls(time, opened, high, low, close, volume, timeframe_seconds(timeframe))
