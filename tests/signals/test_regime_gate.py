"""The regime gate's market direction."""

import numpy as np
import pandas as pd

from coordinator.signals.candles import Candles
from coordinator.signals.regime_gate import market_direction

N = 24 * 40


def candles(close, timeframe="1h", start="2024-01-01"):
    step = {"1h": "h", "1d": "D"}[timeframe]
    frame = pd.DataFrame(
        {"date": pd.date_range(start, periods=len(close), freq=step, tz="UTC"), "volume": 1.0}
    )
    for name in ("open", "high", "low", "close"):
        frame[name] = np.asarray(close, dtype=float)
    return Candles.from_frame(frame, timeframe)


def test_it_points_where_the_reference_stands_to_the_average_of_its_closed_days():
    price = np.r_[np.full(N - 30, 100.0), np.full(15, 101.0), np.full(15, 99.0)]
    daily = price.reshape(-1, 24)[:, -1]
    points = market_direction(candles(np.ones(N)), candles(price), candles(daily, "1d"), 10)
    assert (points[: 24 * 10 - 1] == 0).all()  # ten days must have closed
    assert (points[-30:-15] == 1).all()
    assert (points[-15:] == -1).all()
    cut = N - 20
    assert (
        market_direction(candles(np.ones(cut)), candles(price[:cut]), candles(daily[: cut // 24], "1d"), 10)
        == points[:cut]
    ).all()


def test_where_the_reference_has_no_candle_it_points_nowhere():
    price = np.linspace(100, 200, N)
    daily = price.reshape(-1, 24)[:, -1]
    pair = candles(np.ones(N + 5))
    assert (market_direction(pair, candles(price), candles(daily, "1d"), 10)[N:] == 0).all()
    assert (market_direction(pair, candles([]), candles([], "1d"), 10) == 0).all()
    assert (market_direction(pair, candles(price), candles(daily[:5], "1d"), 10) == 0).all()


def test_the_candles_themselves_may_be_the_clock():
    price = np.r_[np.full(50, 100.0), np.full(50, 110.0)]
    points = market_direction(candles(np.ones(100)), candles(price), None, 20)
    assert (points[:50] == 0).all()  # neither above nor below
    assert (points[50:68] == 1).all()
