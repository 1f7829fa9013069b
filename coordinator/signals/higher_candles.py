"""A bot's candles of the higher timeframes, complete up to its newest hourly candle."""

from __future__ import annotations

import numpy as np

from coordinator.signals.candles import Candles

__all__ = ["complete_higher"]


def complete_higher(higher: Candles, base: Candles) -> Candles:
    """With the candles that have closed by the last base candle's close and are not there yet, made of base candles.

    An exchange may publish a day's candle some seconds after its last hour's, and where a pair is younger than the
    history that Freqtrade asks for in several calls, Freqtrade leaves out the candle of a bot's first day until the
    next has closed. A backtest has each candle at its close; so has a bot with this.

    Parameters
    ----------
    higher : Candles
        Of 4h or 1d; without any candle nothing is made.
    base : Candles
        Of the same pair, a shorter timeframe.

    Returns
    -------
    Candles
        ``higher`` itself where nothing is missing. A candle is made only where all its base candles are there.
    """
    if not len(higher) or not len(base):
        return higher
    end = int(higher.time[-1]) + higher.seconds
    ratio = higher.seconds // base.seconds
    first = int(np.searchsorted(base.time, end))
    whole = (len(base) - first) // ratio
    rows = base.rows(slice(first, first + whole * ratio))
    expected = end + base.seconds * np.arange(whole * ratio)
    if not whole or not np.array_equal(rows.time, expected):
        return higher
    shape = whole, ratio
    return Candles(
        time=np.concatenate((higher.time, rows.time[::ratio])),
        open=np.concatenate((higher.open, rows.open[::ratio])),
        high=np.concatenate((higher.high, rows.high.reshape(shape).max(axis=1))),
        low=np.concatenate((higher.low, rows.low.reshape(shape).min(axis=1))),
        close=np.concatenate((higher.close, rows.close[ratio - 1 :: ratio])),
        volume=np.concatenate((higher.volume, rows.volume.reshape(shape).sum(axis=1))),
        seconds=higher.seconds,
    )
