"""The baseline on a slower clock: closed candles only, this hour's price, the same in any frame."""

import numpy as np
import pandas as pd
import pytest

from coordinator.settings.signals import BaselineSettings
from coordinator.signals.candles import Candles
from coordinator.signals.clock import Clock, clock_candles
from coordinator.signals.technical import compute_technical

DAY = 86400


@pytest.fixture(scope="module")
def frames(make_walk, make_higher):
    hourly = make_walk(4, 24 * 260)
    return hourly, make_higher(hourly, "1d")


def test_own_candles_are_the_clock_itself(make_walk):
    candles = Candles.from_frame(make_walk(1, 50), "1h")
    clock = Clock.of(candles)
    assert clock.candles is candles
    assert clock.closed.tolist() == list(range(50))
    assert clock.before.tolist() == list(range(-1, 49))
    assert clock.begins.all()
    assert clock_candles("1h", candles, {}) is None


def test_an_hour_knows_the_days_that_have_closed(frames):
    hourly, daily = (
        Candles.from_frame(frame, name) for frame, name in zip(frames, ("1h", "1d"), strict=True)
    )
    clock = Clock.of(hourly, daily)
    for row in (0, 22, 23, 24, 46, 47, 48):
        closes = hourly.time[row] + 3600
        ended = np.flatnonzero(daily.time + DAY <= closes)
        opened = np.flatnonzero(daily.time + DAY <= hourly.time[row])
        assert clock.closed[row] == (ended[-1] if len(ended) else -1)
        assert clock.before[row] == (opened[-1] if len(opened) else -1)
        assert clock.begins[row] == (closes % DAY == 0)
    assert np.isnan(clock.at_close(daily.close)[:23]).all()
    assert clock.at_close(daily.close)[23] == daily.close[0]
    assert np.isnan(clock.before_open(daily.close)[23])  # that day's own price cannot be broken out of
    assert clock.before_open(daily.close)[24] == daily.close[0]


def test_a_clock_whose_candles_stop_is_no_view_any_more(frames):
    hourly, daily = (
        Candles.from_frame(frame, name) for frame, name in zip(frames, ("1h", "1d"), strict=True)
    )
    clock = Clock.of(hourly, daily.rows(slice(0, 10)))
    last = 10 * 24 - 1  # the hour that closes with the tenth day
    assert clock.closed[last + 47] == 9
    assert (clock.closed[last + 48 :] == -1).all()


def test_of_a_clock_without_candles_nothing_is_known(frames):
    hourly = Candles.from_frame(frames[0], "1h")
    clock = Clock.of(hourly, Candles.from_frame(frames[1].iloc[:0], "1d"))
    assert set(clock.closed) == set(clock.before) == {-1}
    assert not clock.begins.any()
    for seen in (clock.at_close(np.zeros(0)), clock.before_open(np.zeros(0))):
        np.testing.assert_array_equal(seen, np.full(len(hourly), np.nan))


def test_without_candles_of_the_clock_there_is_no_signal(frames):
    hourly = Candles.from_frame(frames[0], "1h")
    nothing = clock_candles("1d", hourly, {})
    technical = compute_technical(hourly, BaselineSettings(clock="1d"), nothing)
    assert not technical.signal.any()
    assert not technical.direction.any()


def flat(days, price=100.0):
    """Hours of a price that does not move, with candles of one percent."""
    n = 24 * days
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=n, freq="h", tz="UTC"),
            "open": price,
            "high": price * 1.005,
            "low": price * 0.995,
            "close": price,
            "volume": 10.0,
        }
    )


def test_a_break_of_the_days_channel_is_a_signal_at_the_hour_at_which_it_happens(make_higher):
    frame, hour = flat(80), 24 * 70 + 9
    frame.loc[hour:, ["open", "high", "low", "close"]] *= 1.06
    hourly, daily = Candles.from_frame(frame, "1h"), Candles.from_frame(make_higher(frame, "1d"), "1d")
    settings = BaselineSettings(clock="1d", triggers=("breakout",))
    technical = compute_technical(hourly, settings, daily)
    assert np.flatnonzero(technical.signal).tolist() == [hour]
    assert technical.reasons(hour).startswith("breakout")
    slow = compute_technical(hourly, settings.model_copy(update={"fast_channel": 54}), daily)
    assert np.flatnonzero(slow.signal).tolist() == [hour]
    # Nothing of the rest of the day was needed.
    cut = Candles.from_frame(frame.iloc[: hour + 1], "1h")
    known = Candles.from_frame(make_higher(frame, "1d").iloc[:70], "1d")
    assert compute_technical(cut, settings, known).signal[-1] == 1


def test_re_arming_makes_a_signal_of_each_day_of_the_trend_and_of_no_other(make_higher):
    frame, hour = flat(100), 24 * 70 + 9
    frame.loc[hour:, ["open", "high", "low", "close"]] *= 1.06
    falls = 24 * 76 + 5
    frame.loc[falls:, ["open", "high", "low", "close"]] *= 0.9
    hourly, daily = Candles.from_frame(frame, "1h"), Candles.from_frame(make_higher(frame, "1d"), "1d")
    settings = BaselineSettings(clock="1d", triggers=("breakout",), rearm="on", exit_channel=5)
    technical = compute_technical(hourly, settings, daily)
    closes = [24 * day - 1 for day in range(71, 77)]
    longs = np.flatnonzero(technical.signal > 0).tolist()
    assert longs == [hour, *closes]
    assert technical.rearmed[closes].all()
    assert not technical.rearmed[hour]
    assert technical.reasons(closes[0]).startswith("trend goes on")
    assert technical.tactics["breakout"].direction[falls] <= 0
    off = compute_technical(hourly, settings.model_copy(update={"rearm": "off"}), daily)
    assert np.flatnonzero(off.signal > 0).tolist() == [hour]
    assert not off.rearmed.any()


def test_without_its_signals_a_candle_is_re_armed_no_more_and_the_rest_stays(make_walk):
    settings = BaselineSettings(rearm="on")
    technical = compute_technical(Candles.from_frame(make_walk(2, 1500), "1h"), settings)
    gone = np.arange(1500) % 2 == 0
    assert technical.rearmed[gone].any()
    left = technical.without_signals(gone)
    for name in ("signal", "signal_confidence", "rearmed"):
        assert not getattr(left, name)[gone].any()
        np.testing.assert_array_equal(getattr(left, name)[~gone], getattr(technical, name)[~gone])
    np.testing.assert_array_equal(left.direction, technical.direction)
    assert technical.without_signals(np.zeros(1500, dtype=bool)) is technical


def test_a_trend_without_a_new_break_ends_after_as_many_days_as_its_channel_has(make_higher):
    frame, hour = flat(120), 24 * 70
    frame.loc[hour:, ["open", "high", "low", "close"]] *= 1.06  # then it stands still again
    hourly, daily = Candles.from_frame(frame, "1h"), Candles.from_frame(make_higher(frame, "1d"), "1d")
    settings = BaselineSettings(clock="1d", fast_channel=12, exit_channel=10)
    trend = compute_technical(hourly, settings, daily).tactics["breakout"].direction
    above = np.flatnonzero(trend)
    last_break = hour + 24 - 1  # from the next day on the new price is within the channel
    assert (above[0], above[-1]) == (hour, last_break + 12 * 24 - 1)


@pytest.mark.parametrize("clock", ["4h", "1d"])
def test_a_bots_frame_shows_the_signals_of_the_whole_history(make_walk, make_higher, clock):
    hourly = make_walk(9, 24 * 330)
    higher = make_higher(hourly, clock)
    settings = BaselineSettings(clock=clock, rearm="on")
    whole = compute_technical(Candles.from_frame(hourly, "1h"), settings, Candles.from_frame(higher, clock))
    for end in (24 * 300 + 5, 24 * 310, 24 * 320 + 23):
        closed = higher[
            higher["date"] + pd.Timedelta(clock) <= hourly["date"].iloc[end - 1] + pd.Timedelta("1h")
        ]
        frame = compute_technical(
            Candles.from_frame(hourly.iloc[end - 999 : end].reset_index(drop=True), "1h"),
            settings,
            Candles.from_frame(closed.iloc[-999:].reset_index(drop=True), clock),
        )
        known = slice(480, None)  # behind what a trend may depend on
        assert frame.signal[known].any()
        np.testing.assert_array_equal(frame.signal[known], whole.signal[end - 999 : end][known])
        np.testing.assert_array_equal(frame.rearmed[known], whole.rearmed[end - 999 : end][known])
        np.testing.assert_allclose(frame.score[known], whole.score[end - 999 : end][known], atol=1e-6)


def test_the_future_of_the_clock_changes_nothing_before_it(frames):
    hourly, daily = frames
    settings, cut = BaselineSettings(clock="1d", rearm="on"), 24 * 200 + 7
    whole = compute_technical(Candles.from_frame(hourly, "1h"), settings, Candles.from_frame(daily, "1d"))
    later_hours, later_days = hourly.copy(), daily.copy()
    rows = daily["date"] + pd.Timedelta("1d") > hourly["date"].iloc[cut - 1] + pd.Timedelta("1h")
    for frame, mask in ((later_hours, np.arange(len(hourly)) >= cut), (later_days, rows)):
        frame.loc[mask, ["open", "high", "low", "close"]] *= 3.0
    other = compute_technical(
        Candles.from_frame(later_hours, "1h"), settings, Candles.from_frame(later_days, "1d")
    )
    np.testing.assert_array_equal(other.signal[:cut], whole.signal[:cut])
    np.testing.assert_array_equal(other.score[:cut], whole.score[:cut])
    assert (other.signal[cut:] != whole.signal[cut:]).any()
