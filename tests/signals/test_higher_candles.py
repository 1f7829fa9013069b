"""A bot's daily candle is there when its last hour has closed, whatever the exchange or Freqtrade leaves out."""

from dataclasses import fields

import numpy as np
import pytest

from coordinator.signals.candles import Candles
from coordinator.signals.higher_candles import complete_higher

HOURS = 24 * 12


@pytest.fixture
def hourly(make_walk):
    return make_walk(3, HOURS, start="2023-02-20")


def candles(make_higher, hourly, timeframe):
    return Candles.from_frame(make_higher(hourly, timeframe), timeframe)


def same(one, other):
    assert one.seconds == other.seconds
    for field in fields(Candles)[:6]:
        np.testing.assert_allclose(getattr(one, field.name), getattr(other, field.name), rtol=1e-12)


@pytest.mark.parametrize("timeframe", ["4h", "1d"])
@pytest.mark.parametrize("left_out", [1, 3])
def test_candles_that_are_left_out_are_made_of_the_hours(make_higher, hourly, timeframe, left_out):
    whole = candles(make_higher, hourly, timeframe)
    held = whole.rows(slice(0, len(whole) - left_out))
    same(complete_higher(held, Candles.from_frame(hourly, "1h")), whole)


def test_no_candle_is_made_before_it_has_closed(make_higher, hourly):
    daily = candles(make_higher, hourly, "1d")
    base = Candles.from_frame(hourly, "1h")
    for hours in range(24, HOURS + 1):
        known = hours // 24  # days that have closed
        held = daily.rows(slice(0, max(1, known - 1)))
        same(complete_higher(held, base.rows(slice(0, hours))), daily.rows(slice(0, max(1, known))))


def test_nothing_is_made_of_hours_that_are_not_all_there(make_higher, hourly):
    daily = candles(make_higher, hourly, "1d")
    held = daily.rows(slice(0, len(daily) - 1))
    gap = hourly.drop(index=HOURS - 5)
    assert complete_higher(held, Candles.from_frame(gap, "1h")) is held
    late = Candles.from_frame(hourly.iloc[-20:], "1h")
    assert complete_higher(held, late) is held


def test_nothing_missing_is_nothing_made(make_higher, hourly):
    daily, base = candles(make_higher, hourly, "1d"), Candles.from_frame(hourly, "1h")
    assert complete_higher(daily, base) is daily
    nothing = daily.rows(slice(0, 0))
    assert complete_higher(nothing, base) is nothing
