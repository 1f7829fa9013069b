"""The 31 features of the models (spec 004: 10 x 31), named and versioned.

All are pair-neutral (no price levels, no volumes in coins) so that one model can learn from every pair, causal, and
roughly within -5..5. NaN until the longest window (168 candles) is full.
"""

from __future__ import annotations

import numpy as np
import talib

from coordinator.settings.signals import BaselineSettings
from coordinator.signals.breaks import floats_by_history
from coordinator.signals.candles import Candles
from coordinator.signals.indicators import Indicators, compute_indicators
from coordinator.signals.series import lag, rolling_percentile, rolling_std, safe_divide
from coordinator.types import Floats

__all__ = ["FEATURES", "FEATURES_VERSION", "compute_features"]

FEATURES_VERSION = 1
RETURN_PERIODS = (1, 4, 12, 24, 72)
DAY, WEEK = 24, 168  # candles


def compute_features(candles: Candles) -> dict[str, Floats]:
    """The features by name, each of shape (n,), in the order of ``FEATURES``.

    They take no settings: a model trained on version 1 must find the same numbers whatever the baseline trades. After
    a break (``signals.breaks``) they begin anew, in frozen candles they are NaN.
    """
    return floats_by_history(candles, lambda own, _: _compute(own))


def _compute(candles: Candles) -> dict[str, Floats]:
    indicators = compute_indicators(candles, BaselineSettings())
    with np.errstate(invalid="ignore", divide="ignore"):
        features = {
            **_returns(candles),
            **_oscillators(candles, indicators),
            **_trend(candles, indicators),
            **_volatility(candles, indicators),
            **_volume(candles, indicators),
            **_shape(candles, indicators),
            **_calendar(candles),
        }
    return {name: np.clip(values, -10.0, 10.0) for name, values in features.items()}


def _returns(candles: Candles) -> dict[str, Floats]:
    """Log returns over several spans in units of their own standard deviation (72 candles of hourly returns)."""
    price = np.log(candles.close)
    sigma = rolling_std(price - lag(price, 1), 72)
    return {f"return_{n}": safe_divide(price - lag(price, n), sigma * np.sqrt(n)) for n in RETURN_PERIODS}


def _oscillators(candles: Candles, ind: Indicators) -> dict[str, Floats]:
    high, low, close = candles.high, candles.low, candles.close
    k, _ = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    return {
        "rsi_14": (ind.rsi - 50) / 50,
        "rsi_6": (talib.RSI(close, 6) - 50) / 50,
        "stochastic_k": (k - 50) / 50,
        "cci_20": talib.CCI(high, low, close, 20) / 200,
        "mfi_14": (talib.MFI(high, low, close, candles.volume, 14) - 50) / 50,
        "bollinger_b": 2 * ind.bollinger_b - 1,
    }


def _trend(candles: Candles, ind: Indicators) -> dict[str, Floats]:
    close = candles.close
    low_20, high_20 = talib.MIN(candles.low, 20), talib.MAX(candles.high, 20)
    low_55, high_55 = talib.MIN(candles.low, 55), talib.MAX(candles.high, 55)
    return {
        "macd": safe_divide(ind.macd, ind.atr),
        "macd_histogram": safe_divide(ind.macd_histogram, ind.atr),
        "trend_ma_slope": safe_divide(ind.trend_ma - lag(ind.trend_ma, 12), ind.atr),
        "trend_ma_gap": safe_divide(close - ind.trend_ma, ind.atr) / 5,
        "sma_168_gap": safe_divide(close - talib.SMA(close, WEEK), ind.atr) / 10,
        "adx_14": ind.adx / 50,
        "di_difference": safe_divide(ind.plus_di - ind.minus_di, ind.plus_di + ind.minus_di),
        "channel_20": 2 * safe_divide(close - low_20, high_20 - low_20, 0.5) - 1,
        "channel_55": 2 * safe_divide(close - low_55, high_55 - low_55, 0.5) - 1,
    }


def _volatility(candles: Candles, ind: Indicators) -> dict[str, Floats]:
    returns = np.log(candles.close) - lag(np.log(candles.close), 1)
    day = rolling_std(returns, DAY)
    return {
        "atr_percentile": 2 * rolling_percentile(safe_divide(ind.atr, candles.close), 100) - 1,
        "volatility_ratio": np.log(safe_divide(day, rolling_std(returns, WEEK), 1.0) + 1e-9),
        "volatility_day": np.log(day * np.sqrt(DAY) / 0.03 + 1e-9),
        "bollinger_width": np.log(ind.bollinger_width / 0.03 + 1e-9),
    }


def _volume(candles: Candles, ind: Indicators) -> dict[str, Floats]:
    week = talib.SMA(candles.volume, WEEK)
    return {
        "volume_ratio": np.log(ind.volume_ratio + 1e-2),
        "volume_ratio_week": np.log(safe_divide(talib.SMA(candles.volume, 4), week, 1.0) + 1e-2),
    }


def _shape(candles: Candles, ind: Indicators) -> dict[str, Floats]:
    span = candles.high - candles.low
    top, bottom = np.maximum(candles.open, candles.close), np.minimum(candles.open, candles.close)
    return {
        "body": safe_divide(candles.close - candles.open, span),
        "wick_balance": safe_divide((bottom - candles.low) - (candles.high - top), span),
        "range": safe_divide(span, ind.atr) - 1,
    }


def _calendar(candles: Candles) -> dict[str, Floats]:
    phase = 2 * np.pi * ((candles.time % 86400) / 86400)
    return {"hour_sine": np.sin(phase), "hour_cosine": np.cos(phase)}


FEATURES: tuple[str, ...] = (
    *(f"return_{n}" for n in RETURN_PERIODS),
    *("rsi_14", "rsi_6", "stochastic_k", "cci_20", "mfi_14", "bollinger_b"),
    *("macd", "macd_histogram", "trend_ma_slope", "trend_ma_gap", "sma_168_gap", "adx_14", "di_difference"),
    *("channel_20", "channel_55"),
    *("atr_percentile", "volatility_ratio", "volatility_day", "bollinger_width"),
    *("volume_ratio", "volume_ratio_week"),
    *("body", "wick_balance", "range"),
    *("hour_sine", "hour_cosine"),
)
