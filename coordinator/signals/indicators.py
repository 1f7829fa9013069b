"""The TA-Lib indicators that the baseline, the tactics and the features share, each computed once.

They are computed on the clock's closed candles and seen from every candle at which a decision is taken: averages and
oscillators as of the last clock candle that has closed, channels as of the last one before the candle opened, so that
its price can break out of them at the hour at which it does.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import talib

from coordinator.settings.signals import BaselineSettings
from coordinator.signals.candles import Candles
from coordinator.signals.clock import Clock
from coordinator.signals.series import lag, rolling_std, safe_divide
from coordinator.types import Floats

__all__ = ["Indicators", "compute_indicators"]

MACD_SIGNAL = 9
ATR_PERIOD = 14


@dataclass(frozen=True)
class Indicators:
    """Arrays of shape (n_candles,), of the deciding candles; NaN until the indicator has its history.

    ``fast_high`` .. ``exit_low`` are the channels of the candles *before* this one, so that a close can break them.
    ``bollinger_b`` is 0 at the lower and 1 at the upper band, for the price of this candle. ``volume_ratio`` is volume
    over its average, ``body`` the sign of close less open, both of the clock's last candle. ``return_sigmas`` is the
    log return since ``momentum_period`` candles of the clock in units of its own standard deviation.
    """

    ema_fast: Floats
    ema_slow: Floats
    macd: Floats
    macd_histogram: Floats
    rsi: Floats
    adx: Floats
    plus_di: Floats
    minus_di: Floats
    atr: Floats
    bollinger_b: Floats
    bollinger_width: Floats
    volume_ratio: Floats
    body: Floats
    fast_high: Floats
    fast_low: Floats
    slow_high: Floats
    slow_low: Floats
    exit_high: Floats
    exit_low: Floats
    trend_ma: Floats
    exit_ma: Floats
    return_sigmas: Floats


def compute_indicators(
    candles: Candles, settings: BaselineSettings, clock: Clock | None = None
) -> Indicators:
    """All indicators of a pair's candles. O(n), no per-candle Python.

    Parameters
    ----------
    clock : Clock or None
        Whose candles they are computed on; None means the candles themselves.
    """
    clock = Clock.of(candles) if clock is None else clock
    s, read = settings, clock.candles
    if len(read) < 2:  # TA-Lib refuses nothing but computes on air
        empty = np.full(len(candles), np.nan)
        return Indicators(*([empty] * len(fields(Indicators))))
    close, high, low = read.close, read.high, read.low
    macd, _, histogram = talib.MACD(close, s.ema_fast, s.ema_slow, MACD_SIGNAL)
    bands = talib.BBANDS(close, s.bollinger_period, s.bollinger_width, s.bollinger_width)
    upper, middle, lower = (clock.at_close(band) for band in bands)
    average_volume = talib.SMA(read.volume, s.volume_period)
    returns = np.concatenate(([np.nan], np.diff(np.log(close))))
    moved = np.log(candles.close) - clock.at_close(lag(np.log(close), s.momentum_period))
    sigma = rolling_std(returns, 6 * s.momentum_period) * np.sqrt(s.momentum_period)

    def channel(period: int) -> tuple[Floats, Floats]:
        return clock.before_open(talib.MAX(high, period)), clock.before_open(talib.MIN(low, period))

    fast_high, fast_low = channel(s.fast_channel)
    slow_high, slow_low = channel(s.slow_channel)
    exit_high, exit_low = channel(s.exit_channel)
    return Indicators(
        ema_fast=clock.at_close(talib.EMA(close, s.ema_fast)),
        ema_slow=clock.at_close(talib.EMA(close, s.ema_slow)),
        macd=clock.at_close(macd),
        macd_histogram=clock.at_close(histogram),
        rsi=clock.at_close(talib.RSI(close, s.rsi_period)),
        adx=clock.at_close(talib.ADX(high, low, close, s.adx_period)),
        plus_di=clock.at_close(talib.PLUS_DI(high, low, close, s.adx_period)),
        minus_di=clock.at_close(talib.MINUS_DI(high, low, close, s.adx_period)),
        atr=clock.at_close(talib.ATR(high, low, close, ATR_PERIOD)),
        bollinger_b=safe_divide(candles.close - lower, upper - lower, 0.5),
        bollinger_width=safe_divide(upper - lower, middle),
        volume_ratio=clock.at_close(safe_divide(read.volume, average_volume, 1.0)),
        body=clock.at_close(np.sign(close - read.open)),
        fast_high=fast_high,
        fast_low=fast_low,
        slow_high=slow_high,
        slow_low=slow_low,
        exit_high=exit_high,
        exit_low=exit_low,
        trend_ma=clock.at_close(talib.SMA(close, s.trend_ma)),
        exit_ma=clock.at_close(talib.SMA(close, s.exit_ma)),
        return_sigmas=safe_divide(moved, clock.at_close(sigma)),
    )
