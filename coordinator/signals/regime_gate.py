"""The regime gate: which way the market points, by one pair that stands for it, and whether a signal goes that way."""

from __future__ import annotations

import numpy as np
import talib

from coordinator.signals.candles import Candles
from coordinator.signals.clock import Clock
from coordinator.signals.series import side
from coordinator.types import Ints

__all__ = ["bitcoin_pair", "market_direction"]


def bitcoin_pair(stake_currency: str, *, futures: bool) -> str:
    """Bitcoin's pair in a stake currency, in Freqtrade's spelling.

    >>> bitcoin_pair("USDT", futures=False), bitcoin_pair("USDC", futures=True)
    ('BTC/USDT', 'BTC/USDC:USDC')
    """
    pair = f"BTC/{stake_currency}"
    return f"{pair}:{stake_currency}" if futures else pair


def market_direction(
    candles: Candles, reference: Candles, reference_clock: Candles | None, average: int
) -> Ints:
    """+1 while the reference pair stands above its average, -1 below, at each candle of a pair; shape (n,).

    0 where that is unknown: the reference has no candle of the same open time, or its average no history.

    Parameters
    ----------
    reference : the reference pair's candles of the same timeframe as ``candles``
    reference_clock : its candles of the clock, of whose closed ones the average is taken; None means ``reference``
    average : candles of the clock
    """
    clock = Clock.of(reference, reference_clock)
    if not len(reference) or len(clock.candles) < average:
        return np.zeros(len(candles), dtype=np.int64)
    mean = clock.at_close(talib.SMA(clock.candles.close, average))
    with np.errstate(invalid="ignore"):
        direction = side(reference.close > mean, reference.close < mean)
    rows = np.minimum(np.searchsorted(reference.time, candles.time), len(reference) - 1)
    return np.where(reference.time[rows] == candles.time, direction[rows], 0)
