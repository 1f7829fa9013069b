"""Candles of one pair as arrays, seen at a moment: closed ones, and the running one as far as it has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.candles.check import open_times
from coordinator.candles.timeframes import grid_offset_milliseconds, timeframe_milliseconds

__all__ = ["Series", "candle_turns", "running_candle"]

Floats = npt.NDArray[np.float64]
_VALUES: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Series:
    """Candles of one timeframe.

    Attributes
    ----------
    timeframe : str
        E.g. ``"1h"``.
    times : numpy.ndarray
        Shape (n,), open times in milliseconds since the epoch, ascending.
    values : numpy.ndarray
        Shape (n, 5): open, high, low, close, volume.
    """

    timeframe: str
    times: npt.NDArray[np.int64]
    values: Floats

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, timeframe: str) -> Series:
        """From a checked candle table."""
        return cls(timeframe, open_times(frame), frame.loc[:, list(_VALUES)].to_numpy(dtype=np.float64))

    @property
    def step(self) -> int:
        """Length of a candle in milliseconds."""
        return timeframe_milliseconds(self.timeframe)

    def resample(self, timeframe: str) -> Series:
        """A longer timeframe, each candle made of those of its span that exist."""
        step, offset = timeframe_milliseconds(timeframe), grid_offset_milliseconds(timeframe)
        labels = (self.times - offset) // step * step + offset
        firsts = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
        lasts = np.append(firsts[1:], len(labels)) - 1
        columns = (
            self.values[firsts, 0],
            np.maximum.reduceat(self.values[:, 1], firsts),
            np.minimum.reduceat(self.values[:, 2], firsts),
            self.values[lasts, 3],
            np.add.reduceat(self.values[:, 4], firsts),
        )
        return Series(timeframe, labels[firsts], np.column_stack(columns))

    def closed_at(self, now: int) -> int:
        """How many candles have closed by ``now`` (milliseconds since the epoch)."""
        return int(np.searchsorted(self.times, now - self.step, side="right"))

    def at(self, now: int) -> Series:
        """What can be seen at ``now``: the closed candles and, if there is one, the running one so far."""
        closed = self.closed_at(now)
        if closed == len(self.times) or self.times[closed] >= now:
            return Series(self.timeframe, self.times[:closed], self.values[:closed])
        progress = float(now - self.times[closed]) / self.step
        running = running_candle(self.values[closed], progress)
        return Series(self.timeframe, self.times[: closed + 1], np.vstack((self.values[:closed], running)))

    def between(self, start: int | None, end: int | None) -> slice:
        """Positions of the candles that open within start..end, both included, None for open."""
        low = 0 if start is None else int(np.searchsorted(self.times, start, side="left"))
        high = len(self.times) if end is None else int(np.searchsorted(self.times, end, side="right"))
        return slice(low, max(low, high))


def running_candle(candle: Floats, progress: float) -> Floats:
    """A candle part of the way, on a made-up path: open, low, high, close; high first if it falls.

    The files do not say what happened inside a candle. The path agrees with the candle once it has closed;
    its order depends on the close, so it serves to exercise a bot and is no evidence about fills.

    Parameters
    ----------
    candle : numpy.ndarray
        Shape (5,): open, high, low, close, volume when closed.
    progress : float
        0..1.

    Returns
    -------
    numpy.ndarray
        Shape (5,).

    Examples
    --------
    >>> running_candle(np.array([10.0, 14.0, 8.0, 12.0, 100.0]), 0.5).tolist()
    [10.0, 11.0, 8.0, 11.0, 50.0]
    """
    values = candle.tolist()
    marks, turns = candle_turns(values)
    price = float(np.interp(progress, marks, turns))
    prices = [turn for turn, mark in zip(turns, marks, strict=True) if mark <= progress] + [price]
    return np.array([values[0], max(prices), min(prices), price, values[4] * progress])


def candle_turns(values: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """When (0..1 of its length) and at which prices the made-up path of a candle turns.

    Examples
    --------
    >>> candle_turns([10.0, 14.0, 8.0, 12.0])[1]
    (10.0, 8.0, 14.0, 12.0)
    """
    opening, high, low, close = values[:4]
    turns = (opening, low, high, close) if close >= opening else (opening, high, low, close)
    return (0.0, 1 / 3, 2 / 3, 1.0), turns
