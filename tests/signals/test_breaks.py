"""Breaks: a jump without a pause is one, and what may not reach across it does not."""

import numpy as np
import pytest

from coordinator.signals.breaks import crosses_break, find_breaks, follows_break
from coordinator.signals.candles import Candles


def candles_of(price, time=None, volume=1.0):
    price = np.asarray(price, dtype=float)
    n = len(price)
    time = 3600 * np.arange(n) if time is None else time
    return Candles(time, price, price, price, price, np.full(n, volume), 3600)


@pytest.mark.parametrize(
    "candles",
    [
        candles_of([100.0] * 6 + [10.0] * 6),  # ten old ones for a new one
        candles_of(
            [100.0] * 12, time=3600 * np.r_[np.arange(6), np.arange(40, 46)]
        ),  # a hole of more than a day
    ],
    ids=["jump", "hole"],
)
def test_nothing_reaches_across_a_jump_or_a_hole(candles):
    found = find_breaks(candles)
    assert found
    assert not found.frozen.any()
    assert found.begins.tolist() == [6]
    assert found.parts == [slice(0, 6), slice(6, 12)]
    assert np.flatnonzero(crosses_break(candles, 2)).tolist() == [4, 5]
    assert np.flatnonzero(follows_break(candles, 3)).tolist() == [6, 7, 8]


def test_a_jump_is_more_than_twice_or_less_than_half_the_price():
    for factor, breaks in ((1.99, False), (2.01, True), (0.51, False), (0.49, True)):
        assert bool(find_breaks(candles_of([100.0] * 6 + [100.0 * factor] * 6))) == breaks


def test_without_a_break_all_is_one_history():
    candles = candles_of(np.linspace(100.0, 150.0, 12))
    assert not find_breaks(candles)
    assert find_breaks(candles).parts == [slice(0, 12)]
    assert not crosses_break(candles, 100).any()
    assert not follows_break(candles, 100).any()


def test_a_market_without_a_trade_for_a_day_is_frozen_until_one_trades():
    volume = np.where((np.arange(60) >= 10) & (np.arange(60) < 50), 0.0, 1.0)
    candles = candles_of(np.full(60, 100.0), volume=volume)
    found = find_breaks(candles)
    assert np.flatnonzero(found.frozen).tolist() == list(range(33, 50))  # the last trade was in candle 9
    assert found.begins.tolist() == [50]
    assert crosses_break(candles, 1)[32:50].all()
    assert not crosses_break(candles, 1)[:32].any()
