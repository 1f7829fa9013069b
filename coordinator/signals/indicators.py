"""The TA-Lib indicators that the baseline, the tactics and the features share, each computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import talib

from coordinator.settings.signals import BaselineSettings
from coordinator.signals.candles import Candles
from coordinator.signals.series import lag, rolling_std, safe_divide
from coordinator.types import Floats

__all__ = ["Indicators", "compute_indicators"]

MACD_SIGNAL = 9
ATR_PERIOD = 14


@dataclass(frozen=True)
class Indicators:
    """Arrays of shape (n_candles,); NaN until the indicator has its history.

    ``fast_high`` .. ``slow_low`` are the channels of the candles *before* this one, so that a close can break them.
    ``bollinger_b`` is 0 at the lower and 1 at the upper band. ``volume_ratio`` is volume over its average.
    ``return_sigmas`` is the momentum period's log return in units of its own standard deviation.
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
    fast_high: Floats
    fast_low: Floats
    slow_high: Floats
    slow_low: Floats
    trend_ma: Floats
    exit_ma: Floats
    return_sigmas: Floats


def compute_indicators(candles: Candles, settings: BaselineSettings) -> Indicators:
    """All indicators of a pair's candles. O(n), no per-candle Python."""
    s, close, high, low = settings, candles.close, candles.high, candles.low
    if len(candles) < 2:  # TA-Lib refuses nothing but computes on air
        empty = np.full(len(candles), np.nan)
        return Indicators(*([empty] * 19))
    macd, _, histogram = talib.MACD(close, s.ema_fast, s.ema_slow, MACD_SIGNAL)
    upper, middle, lower = talib.BBANDS(close, s.bollinger_period, s.bollinger_width, s.bollinger_width)
    average_volume = talib.SMA(candles.volume, s.volume_period)
    returns = np.concatenate(([np.nan], np.diff(np.log(close))))
    moved = np.log(close) - lag(np.log(close), s.momentum_period)
    sigma = rolling_std(returns, 6 * s.momentum_period) * np.sqrt(s.momentum_period)
    return Indicators(
        ema_fast=talib.EMA(close, s.ema_fast),
        ema_slow=talib.EMA(close, s.ema_slow),
        macd=macd,
        macd_histogram=histogram,
        rsi=talib.RSI(close, s.rsi_period),
        adx=talib.ADX(high, low, close, s.adx_period),
        plus_di=talib.PLUS_DI(high, low, close, s.adx_period),
        minus_di=talib.MINUS_DI(high, low, close, s.adx_period),
        atr=talib.ATR(high, low, close, ATR_PERIOD),
        bollinger_b=safe_divide(close - lower, upper - lower, 0.5),
        bollinger_width=safe_divide(upper - lower, middle),
        volume_ratio=safe_divide(candles.volume, average_volume, 1.0),
        fast_high=lag(talib.MAX(high, s.fast_channel), 1),
        fast_low=lag(talib.MIN(low, s.fast_channel), 1),
        slow_high=lag(talib.MAX(high, s.slow_channel), 1),
        slow_low=lag(talib.MIN(low, s.slow_channel), 1),
        trend_ma=talib.SMA(close, s.trend_ma),
        exit_ma=talib.SMA(close, s.exit_ma),
        return_sigmas=safe_divide(moved, sigma),
    )
