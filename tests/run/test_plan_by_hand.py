"""The plan of a forced entry: the stop and target that a signal at the last closed candle would have had."""

import numpy as np
import pytest

from coordinator.run.entry_plans import plan_by_hand
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.trade.entries import AT_ONCE

HOUR, DAY = 3600, 86400
SETTINGS = load_settings(
    {
        "baseline": {"clock": "1d"},
        "stops": {"basis": "support", "atr_multiple": 1.5, "hard_limit": 0.2},
        "targets": {"enabled": True, "reward_risk": 2.5, "horizon": 20},
    }
)


def steady(n, seconds, high, low):
    close = np.full(n, 100.0)
    return Candles(seconds * np.arange(n), close, close + high, close - low, close, np.ones(n), seconds)


HOURLY, DAILY = steady(40 * 24, HOUR, 2.0, 1.0), steady(40, DAY, 4.0, 2.0)


@pytest.mark.parametrize(
    ("side", "clock", "stop"),
    [  # to the low or the high and 1.5 ATR beyond it
        (1, None, 0.01 + 0.045),
        (-1, None, 0.02 + 0.045),
        (1, DAILY, 0.02 + 0.09),
        (-1, DAILY, 0.04 + 0.09),
    ],
)
def test_it_has_the_stop_and_the_target_of_a_signal_on_the_clock(side, clock, stop):
    for time in (int(HOURLY.time[-1]), int(HOURLY.time[-1]) + HOUR):  # which has closed, or comes next
        plan = plan_by_hand(HOURLY, clock, side, time, SETTINGS)
        assert plan.stop_distance == pytest.approx(stop)
        reached = 1 + side * plan.target_distance
        assert reached == pytest.approx((1 + side * 2.5 * stop) * 1.00165**side)  # costs on top
        assert (plan.direction, plan.entries, plan.clock) == (side, AT_ONCE, "1d")


def test_where_the_candles_are_too_old_there_is_none_yet():
    assert plan_by_hand(HOURLY, None, 1, int(HOURLY.time[-1]) + 2 * HOUR, SETTINGS) is None
    assert plan_by_hand(HOURLY.rows(slice(0, 0)), None, 1, 0, SETTINGS) is None
    first = plan_by_hand(HOURLY, None, -1, int(HOURLY.time[0]) - HOUR, SETTINGS)
    assert (first.direction, first.stop_distance) == (-1, 0.2)  # nothing is known: the hard limit


def test_it_is_read_at_its_own_candle():
    wild = HOURLY.high.copy()
    wild[500:] += 3.0
    candles = Candles(HOURLY.time, HOURLY.open, wild, HOURLY.low, HOURLY.close, HOURLY.volume, HOUR)
    stops = [plan_by_hand(candles, None, -1, row * HOUR, SETTINGS).stop_distance for row in (499, 500)]
    assert stops[0] == pytest.approx(0.065)
    assert stops[1] > 0.08
