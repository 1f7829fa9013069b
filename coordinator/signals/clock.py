"""The clock: the timeframe whose closed candles the baseline reads, as known at each candle at which it decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coordinator.signals.candles import Candles, timeframe_seconds
from coordinator.signals.timeframes import last_closed
from coordinator.types import Bools, Floats, Ints

__all__ = ["CLOCKS", "Clock", "clock_candles", "pair_of", "series_name"]

CLOCKS = ("1h", "4h", "1d")
"""What a clock's code in a table stands for."""

STALE = 2  # candles of the clock: where the newest is older than this, later ones are missing


def clock_candles(name: str, base: Candles, higher: Mapping[str, Candles]) -> Candles | None:
    """A pair's candles of a clock; None where the base candles are the clock's own.

    Without candles of that timeframe there are none (and no signals), rather than another timeframe's.
    """
    if timeframe_seconds(name) == base.seconds:
        return None
    return higher[name] if name in higher else base.rows(slice(0, 0))


def series_name(pair: str, clock: str, first: str) -> str:
    """Name of a pair's signals on a clock: the pair's on the first of the clocks, else with the clock behind it.

    >>> series_name("BTC/USDT", "1d", "1d"), series_name("BTC/USDT", "4h", "1d")
    ('BTC/USDT', 'BTC/USDT 4h')
    """
    return pair if clock == first else f"{pair} {clock}"


def pair_of(series: str) -> str:
    """The pair of a series.

    >>> pair_of("BTC/USDT:USDT 4h")
    'BTC/USDT:USDT'
    """
    return series.partition(" ")[0]


@dataclass(frozen=True)
class Clock:
    """A pair's candles of the clock's timeframe beside those at which decisions are taken (the base candles).

    Attributes
    ----------
    candles : of the clock; the base candles themselves where the clock is their timeframe
    closed : int, shape (n_base,), last clock candle that has closed by each base candle's close; -1 where there is none
    before : int, shape (n_base,), last one that had closed by its open: what its price may break out of
    begins : bool, shape (n_base,), whether a clock candle closed together with the base candle: a new one begins
    """

    candles: Candles
    closed: Ints
    before: Ints
    begins: Bools

    @classmethod
    def of(cls, base: Candles, candles: Candles | None = None) -> Clock:
        """The clock of some candles; without any, of the base candles.

        A clock candle that is two or more of its lengths old is no view of the market any more: it counts as none.
        """
        n = len(base)
        if candles is None or candles is base:
            rows = np.arange(n, dtype=np.int64)
            return cls(base, rows, rows - 1, np.ones(n, dtype=bool))
        ends = candles.time + candles.seconds
        before = np.searchsorted(ends, base.time, side="right").astype(np.int64) - 1
        closed = _fresh(last_closed(base, candles), candles, base.time + base.seconds)
        before = _fresh(before, candles, base.time)
        begins = (base.time + base.seconds) % candles.seconds == 0
        return cls(candles, closed, before, np.asarray(begins & (closed >= 0)))

    def at_close(self, values: Floats) -> Floats:
        """Values of the clock's candles as known at each base candle's close, shape (n_base,); NaN where unknown."""
        return _take(values, self.closed)

    def before_open(self, values: Floats) -> Floats:
        """Values of the clock's candles as known at each base candle's open, shape (n_base,); NaN where unknown."""
        return _take(values, self.before)


def _fresh(rows: Ints, candles: Candles, now: Ints) -> Ints:
    """The rows, -1 where the candle is stale at a time."""
    if not len(candles):
        return np.full(len(rows), -1, dtype=np.int64)
    age = now - (candles.time[np.maximum(rows, 0)] + candles.seconds)
    return np.where(age < STALE * candles.seconds, rows, -1).astype(np.int64)


def _take(values: Floats, rows: Ints) -> Floats:
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan)
