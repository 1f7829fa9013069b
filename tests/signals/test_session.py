"""The usual activity of the coming hour: the same hour of the days before, and nothing later."""

import numpy as np
import pytest

from coordinator.signals.candles import Candles
from coordinator.signals.session import session_activity


def hourly(volume, keep=None):
    n = len(volume)
    keep = np.ones(n, dtype=bool) if keep is None else keep
    price = np.full(keep.sum(), 1.0)
    time = (np.arange(n, dtype=np.int64) * 3600)[keep]
    return Candles(time, price, price, price, price, np.asarray(volume, dtype=float)[keep], 3600)


def test_an_hour_that_trades_three_times_the_others():
    volume = np.where(np.arange(24 * 9) % 24 == 14, 3.0, 1.0)
    index = np.arange(24 * 9)
    activity = session_activity(hourly(volume), index, 7)
    mean = 26 / 24
    assert np.isnan(activity[: 7 * 24 - 1]).all()
    known = index >= 7 * 24 - 1
    before = (index % 24 == 13) & known  # the coming candle is the busy one
    np.testing.assert_allclose(activity[before], 3 / mean)
    np.testing.assert_allclose(activity[known & ~before], 1 / mean)


@pytest.mark.parametrize("last", [170, 200, 299])
def test_nothing_later_matters_and_a_longer_history_neither(last):
    volume = np.random.default_rng(1).lognormal(0, 1, 300)
    whole = session_activity(hourly(volume), np.array([last]), 7)
    np.testing.assert_array_equal(session_activity(hourly(volume[: last + 1]), np.array([last]), 7), whole)
    start = last - 7 * 24 + 1
    cut = hourly(volume[start : last + 1])
    np.testing.assert_array_equal(session_activity(cut, np.array([7 * 24 - 1]), 7), whole)


def test_missing_candles_do_not_shift_the_hours():
    volume = np.where(np.arange(24 * 9) % 24 == 14, 3.0, 1.0)
    keep = np.random.default_rng(2).random(len(volume)) > 0.1
    candles = hourly(volume, keep)
    index = np.flatnonzero((candles.time // 3600) % 24 == 13)[-1:]
    assert session_activity(candles, index, 7)[0] > 2.5


def test_what_cannot_be_known_is_nan():
    assert np.isnan(session_activity(hourly(np.zeros(200)), np.array([199]), 7)).all()
    assert not len(session_activity(hourly(np.zeros(0)), np.zeros(0, dtype=np.int64), 7))
    sparse = np.zeros(400, dtype=bool)
    sparse[[0, *range(340, 400)]] = True
    assert np.isnan(session_activity(hourly(np.ones(400), sparse), np.array([60]), 7)).all()
