"""The 31 features of version 1 beside their definitions in pandas and TA-Lib: a stored model must find its numbers."""

import numpy as np
import pandas as pd
import pytest
import talib

from coordinator.signals.features import FEATURES, compute_features


def by_definition(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Distances in ATRs, oscillators and places in a channel from -1 to 1, logarithms of ratios."""
    o, h, low, c, v = (frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume"))
    price, atr = pd.Series(np.log(c)), talib.ATR(h, low, c, 14)

    def sigma(n):
        return price.diff().rolling(n).std(ddof=0)

    def place(value, bottom, top):
        return 2 * (value - bottom) / (top - bottom) - 1

    upper, middle, lower = talib.BBANDS(c, 20, 2.0, 2.0)
    macd, _, histogram = talib.MACD(c, 12, 26, 9)
    plus, minus = talib.PLUS_DI(h, low, c, 14), talib.MINUS_DI(h, low, c, 14)
    ma = talib.SMA(c, 50)
    hour = 2 * np.pi * frame["date"].dt.hour / 24
    rank = pd.Series(atr / c).rolling(100).apply(lambda last: (last <= last[-1]).mean(), raw=True)
    return {
        **{f"return_{n}": price.diff(n) / (sigma(72) * n**0.5) for n in (1, 4, 12, 24, 72)},
        "rsi_14": place(talib.RSI(c, 14), 0, 100),
        "rsi_6": place(talib.RSI(c, 6), 0, 100),
        "stochastic_k": place(talib.STOCH(h, low, c, 14, 3, 0, 3, 0)[0], 0, 100),
        "cci_20": talib.CCI(h, low, c, 20) / 200,
        "mfi_14": place(talib.MFI(h, low, c, v, 14), 0, 100),
        "bollinger_b": place(c, lower, upper),
        "macd": macd / atr,
        "macd_histogram": histogram / atr,
        "trend_ma_slope": pd.Series(ma).diff(12) / atr,
        "trend_ma_gap": (c - ma) / atr / 5,
        "sma_168_gap": (c - talib.SMA(c, 168)) / atr / 10,
        "adx_14": talib.ADX(h, low, c, 14) / 50,
        "di_difference": (plus - minus) / (plus + minus),
        **{f"channel_{n}": place(c, talib.MIN(low, n), talib.MAX(h, n)) for n in (20, 55)},
        "atr_percentile": place(rank, 0, 1),
        "volatility_ratio": np.log(sigma(24) / sigma(168)),
        "volatility_day": np.log(sigma(24) * 24**0.5 / 0.03),
        "bollinger_width": np.log((upper - lower) / middle / 0.03),
        "volume_ratio": np.log(v / talib.SMA(v, 20) + 0.01),
        "volume_ratio_week": np.log(talib.SMA(v, 4) / talib.SMA(v, 168) + 0.01),
        "body": (c - o) / (h - low),
        "wick_balance": ((np.minimum(o, c) - low) - (h - np.maximum(o, c))) / (h - low),
        "range": (h - low) / atr - 1,
        "hour_sine": np.sin(hour),
        "hour_cosine": np.cos(hour),
    }


def test_every_feature_is_what_its_name_says(walk, candles):
    made, expected = compute_features(candles), by_definition(walk)
    assert tuple(made) == FEATURES == tuple(expected)
    for name in FEATURES:
        own = np.asarray(expected[name])[168:]
        assert np.isfinite(own).all(), name
        np.testing.assert_allclose(made[name][168:], own.clip(-10, 10), atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("return_1", 72),
        ("return_72", 72),
        ("sma_168_gap", 167),
        ("volatility_ratio", 168),
        ("volume_ratio_week", 167),
    ],
)
def test_a_feature_is_unknown_until_its_window_is_full(candles, name, first):
    known = np.isfinite(compute_features(candles)[name])
    assert not known[:first].any()
    assert known[first:].all()
