"""A virtual trade leaves by the account's own exits: baseline turn, exit channel, exit MA, stop, target, time limit."""

from dataclasses import replace

import numpy as np
import pytest

from coordinator.decision.outcomes import EXITS
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.signals.technical import compute_technical
from coordinator.trade.signal_exits import signal_exits
from coordinator.trade.virtual_trades import planned_distances, virtual_outcomes

N = 40


def market(close, low=None, direction=None, exit_low=50.0, exit_high=500.0, exit_ma=1.0):
    """A pair whose indicators are as given: the baseline is scripted, the exits are real."""
    close = np.asarray(close, dtype=float)
    opened = np.r_[close[0], close[:-1]]
    low = np.minimum(opened, close) if low is None else np.asarray(low, dtype=float)
    candles = Candles(
        np.arange(len(close)) * 3600, opened, np.maximum(opened, close), low, close, np.ones(len(close)), 3600
    )
    technical = compute_technical(candles, load_settings(None).baseline)
    n = len(close)
    indicators = replace(
        technical.indicators,
        exit_low=np.broadcast_to(exit_low, n).astype(float),
        exit_high=np.broadcast_to(exit_high, n).astype(float),
        exit_ma=np.broadcast_to(exit_ma, n).astype(float),
    )
    found = np.zeros(n, dtype=np.int64) if direction is None else np.asarray(direction)
    return candles, replace(technical, direction=found, indicators=indicators)


def outcome(candles, technical, settings, direction=1, stop=0.1, target=np.inf, at=2):
    one = virtual_outcomes(
        candles,
        technical,
        np.array([at]),
        np.array([direction]),
        np.array([stop]),
        np.array([target]),
        settings,
    )
    return EXITS[one.exit[0]], int(one.resolved[0]), float(one.r[0])


FREE = {"costs": {"fee": 0.0, "slippage": 0.0}}


def test_the_channel_ends_a_trade_at_the_close_that_breaks_it():
    price = np.full(N, 100.0)
    price[10:] = 97.0
    settings = load_settings(
        {**FREE, "exits": {"channel": True, "baseline_turn": False}, "targets": {"horizon": 30}}
    )
    candles, technical = market(price, exit_low=98.0)
    assert outcome(candles, technical, settings) == ("exit", 10, pytest.approx(-0.3))
    off = load_settings({**FREE, "exits": {"baseline_turn": False}, "targets": {"horizon": 30}})
    assert outcome(candles, technical, off)[:2] == ("horizon", 32)
    short = market(np.where(np.arange(N) >= 10, 103.0, 100.0), exit_high=102.0)
    assert outcome(*short, settings, direction=-1) == ("exit", 10, pytest.approx(-0.3))


def test_the_stop_comes_before_an_exit_at_the_close_of_the_same_candle():
    price, low = np.full(N, 100.0), np.full(N, 100.0)
    price[10:], low[10:] = 97.0, 85.0
    settings = load_settings({**FREE, "exits": {"channel": True}})
    assert outcome(*market(price, low, exit_low=98.0), settings) == ("stop", 10, pytest.approx(-1.0))


def test_a_target_that_is_reached_first_counts():
    price = np.full(N, 100.0)
    price[8:] = 106.0
    price[12:] = 97.0
    settings = load_settings({**FREE, "exits": {"channel": True}})
    candles, technical = market(price, exit_low=98.0)
    assert outcome(candles, technical, settings, target=0.05) == ("target", 8, pytest.approx(0.5))
    assert outcome(candles, technical, settings, target=0.07)[:2] == ("exit", 12)


def test_the_baselines_turn_beyond_the_exit_ma_ends_a_trade_once():
    turned = np.zeros(N, dtype=np.int64)
    turned[15:] = -1
    settings = load_settings({**FREE, "targets": {"horizon": 30}})
    assert outcome(*market(np.full(N, 100.0), direction=turned, exit_ma=101.0), settings)[:2] == ("exit", 15)
    assert outcome(*market(np.full(N, 100.0), direction=turned, exit_ma=99.0), settings)[:2] == (
        "horizon",
        32,
    )
    candles, technical = market(np.full(N, 100.0), direction=turned, exit_ma=101.0)
    assert (
        outcome(candles, technical, settings, at=20)[0] == ""
    )  # an event: it is over, and the limit has not come


def test_the_exit_ma_ends_a_trade_where_it_is_switched_on():
    price = np.full(N, 100.0)
    price[9] = 94.0
    settings = load_settings({**FREE, "exits": {"moving_average": True}})
    exits = signal_exits(*market(price, exit_ma=95.0), settings)
    assert np.flatnonzero(exits.long).tolist() == [9]
    assert exits.reason[9] == "below the exit MA"
    assert np.flatnonzero(exits.short).tolist() == [i for i in range(N) if i != 9]


def test_the_reason_names_what_the_price_left_and_on_which_side():
    price = np.full(N, 100.0)
    price[9], price[20] = 94.0, 106.0
    channel = load_settings(
        {"baseline": {"exit_channel": 10, "clock": "4h"}, "exits": {"channel": True, "baseline_turn": False}}
    )
    exits = signal_exits(*market(price, exit_low=95.0, exit_high=105.0), channel)
    assert (exits.reason[9], exits.reason[20]) == ("below the low of 10 x 4h", "above the high of 10 x 4h")
    assert (exits.long.sum(), exits.short.sum(), (exits.reason != None).sum()) == (1, 1, 2)  # noqa: E711
    average = load_settings({"exits": {"moving_average": True}})
    exits = signal_exits(*market(price, exit_ma=100.0), average)
    assert (exits.reason[9], exits.reason[20]) == ("below the exit MA", "above the exit MA")
    for side, word, ma in ((1, "long", 99.0), (-1, "short", 101.0)):
        turned = np.where(np.arange(N) >= 15, side, 0)
        exits = signal_exits(*market(np.full(N, 100.0), direction=turned, exit_ma=ma), load_settings(None))
        assert np.flatnonzero(exits.reason != None).tolist() == [15]  # noqa: E711
        assert exits.reason[15] == f"baseline turned {word}"
        assert (exits.long if side < 0 else exits.short)[15]


def test_a_trade_that_is_open_where_the_history_breaks_stays_unresolved():
    """The price at candle 20 is no price of what was bought: it is three times as high."""
    price = np.where(np.arange(N) < 20, 100.0, 300.0)
    candles, technical = market(price)
    candles = replace(candles, open=price, low=price)
    settings = load_settings({**FREE, "targets": {"horizon": 10}})
    found = [
        virtual_outcomes(
            candles, technical, np.array([at]), np.array([1]), np.array([0.1]), np.array([np.inf]), settings
        )
        for at in (5, 12, 20)
    ]
    assert [EXITS[one.exit[0]] for one in found] == ["horizon", "", "horizon"]
    assert [int(one.resolved[0]) for one in found] == [15, -1, 30]
    assert np.isnan(found[1].r[0])


def test_the_time_limit_counts_candles_of_the_clock(make_walk, make_higher):
    hourly = make_walk(3, 24 * 60)
    candles, daily = Candles.from_frame(hourly, "1h"), Candles.from_frame(make_higher(hourly, "1d"), "1d")
    settings = load_settings(
        {
            "baseline": {"clock": "1d"},
            "targets": {"enabled": False, "horizon": 5},
            "exits": {"baseline_turn": False},
        }
    )
    technical = compute_technical(candles, settings.baseline, daily)
    index = np.array([24 * 40])
    found = virtual_outcomes(
        candles, technical, index, np.array([1]), np.array([0.9]), np.array([np.inf]), settings
    )
    assert (EXITS[found.exit[0]], found.resolved[0]) == ("horizon", 24 * 40 + 5 * 24)


def test_stops_are_so_many_atrs_of_the_clock(make_walk, make_higher):
    hourly = make_walk(3, 24 * 60)
    candles, daily = Candles.from_frame(hourly, "1h"), Candles.from_frame(make_higher(hourly, "1d"), "1d")
    settings = load_settings(
        {
            "baseline": {"clock": "1d"},
            "stops": {"basis": "price", "atr_multiple": 2.0, "hard_limit": 0.5},
            "targets": {"enabled": False, "horizon": 5},
        }
    )
    stop, target = planned_distances(candles, np.ones(len(candles), dtype=np.int64), settings, daily)
    atr = compute_technical(candles, settings.baseline, daily).indicators.atr
    np.testing.assert_allclose(stop[24 * 30 :], (2 * atr / candles.close)[24 * 30 :])
    assert np.isinf(target).all()
    short, _ = planned_distances(candles, -np.ones(len(candles), dtype=np.int64), settings, daily)
    np.testing.assert_array_equal(short[24 * 30 :], stop[24 * 30 :])
    support = load_settings(
        {"baseline": {"clock": "1d"}, "targets": {"horizon": 5}, "stops": {"hard_limit": 0.5}}
    )
    below, _ = planned_distances(candles, np.ones(len(candles), dtype=np.int64), support, daily)
    row = 24 * 45 - 1  # the close of a day
    low = daily.low[35:45].min()
    assert below[row] == pytest.approx((candles.close[row] - low + 1.5 * atr[row]) / candles.close[row])


def test_a_time_limit_longer_than_a_bot_can_see_is_refused():
    with pytest.raises(Exception, match="at most 20, as a bot sees 999 hourly candles"):
        load_settings({"baseline": {"clock": "1d"}})
