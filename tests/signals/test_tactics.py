"""The four tactics beside their rules, by TA-Lib from the candles: which way, and how sure."""

from dataclasses import replace

import numpy as np
import pytest
import talib

from coordinator.settings.signals import BaselineSettings
from coordinator.signals.candles import Candles
from coordinator.signals.tactics import compute_tactics
from coordinator.signals.technical import compute_technical


@pytest.fixture(scope="module")
def walks(make_walk):
    return [Candles.from_frame(make_walk(seed, 3000), "1h") for seed in (1, 2, 3)]


def by_rule(c):
    """Direction and strength of each tactic but the breakout, whose direction is the channel trend's."""
    adx, rsi = talib.ADX(c.high, c.low, c.close, 14), talib.RSI(c.close, 14)
    di = talib.PLUS_DI(c.high, c.low, c.close, 14) - talib.MINUS_DI(c.high, c.low, c.close, 14)
    ema = talib.EMA(c.close, 12) - talib.EMA(c.close, 26)
    above = c.close - talib.SMA(c.close, 50)
    upper, _, lower = talib.BBANDS(c.close, 20, 2.0, 2.0)
    histogram = talib.MACD(c.close, 12, 26, 9)[2]
    price = np.log(c.close)
    moved = np.r_[np.full(12, np.nan), price[12:] - price[:-12]]
    change = np.r_[np.nan, np.diff(price)]
    sigmas = moved / (np.array([change[max(i - 71, 0) : i + 1].std() for i in range(len(c))]) * 12**0.5)

    def agree(*signs):
        return np.sign(signs[0]) * np.all([np.sign(one) == np.sign(signs[0]) for one in signs], axis=0)

    reverts = np.select([(rsi <= 30) & (c.close <= lower), (rsi >= 70) & (c.close >= upper)], [1, -1], 0)
    return {
        "trend_following": (agree(ema, di, above) * (adx >= 25), (adx - 25) / 25),
        "mean_reversion": (reverts * (adx < 25), (np.abs(rsi - 50) - 20) / 30),
        "momentum": (agree(sigmas, histogram, above) * (np.abs(sigmas) >= 2), np.abs(sigmas) / 2 - 1),
    }


@pytest.mark.parametrize("tactic", ["trend_following", "mean_reversion", "momentum"])
def test_direction_and_confidence_follow_the_rule(walks, tactic):
    """Confidence is a half at the threshold, and 1 from an ADX of 50, an RSI of 0 or 100, twice the move on."""
    said, turns = [], set()
    for candles in walks:
        found = compute_technical(candles, BaselineSettings()).tactics[tactic]
        direction, strength = (values[200:] for values in by_rule(candles)[tactic])
        np.testing.assert_array_equal(found.direction[200:], direction)
        expected = np.where(direction != 0, 0.5 + 0.5 * strength.clip(0, 1), 0.0)
        np.testing.assert_allclose(found.confidence[200:], expected, atol=1e-6)
        said.append(found.confidence[200:][direction != 0])
        turns |= set(direction)
    assert len(np.unique(np.concatenate(said).round(3))) > 10
    assert turns == {-1, 0, 1}


def test_momentum_wants_macds_word(walks):
    flat = replace(compute_technical(walks[0], BaselineSettings()).indicators, macd_histogram=np.zeros(3000))
    assert not compute_tactics(walks[0], flat, BaselineSettings())["momentum"].direction.any()


def test_a_breakout_is_half_sure_and_surer_beyond_the_slow_channel_and_with_volume(walks):
    seen = set()
    for c in walks:
        found = compute_technical(c, BaselineSettings()).tactics["breakout"]
        high, low = (np.r_[np.nan, f(x, 55)[:-1]] for f, x in ((talib.MAX, c.high), (talib.MIN, c.low)))
        slow = (c.close > high * 1.01) | (c.close < low * 0.99)
        busy = c.volume >= 1.5 * talib.SMA(c.volume, 20)
        expected = np.where(found.direction != 0, 0.5 + 0.25 * slow + 0.25 * busy, 0.0)
        np.testing.assert_allclose(found.confidence[100:], expected[100:])
        seen |= {(d, s, b) for d, s, b in zip(found.direction, slow, busy, strict=True) if d}
    assert {(1, True, False), (-1, True, False), (1, False, True), (-1, False, True)} <= seen


@pytest.mark.parametrize(("close", "direction"), [(105.0, 0), (105.5, 1), (95.0, 0), (94.5, -1), (100.0, 0)])
def test_a_close_at_the_channel_has_not_broken_it(close, direction):
    """Without a clearance the channel's high and low are themselves within it."""
    n = 80
    price = np.full(n, 100.0)
    price[-1] = close
    high, low = np.full(n, 105.0), np.full(n, 95.0)
    high[-1], low[-1] = max(close, 105.0), min(close, 95.0)
    candles = Candles(np.arange(n) * 3600, np.full(n, 100.0), high, low, price, np.ones(n), 3600)
    settings = BaselineSettings(fast_clearance=0.0)
    assert compute_technical(candles, settings).tactics["breakout"].direction[-1] == direction
