"""A pair that is put on the blacklist while it is held, and a machine whose clock jumps."""

import logging

import pandas as pd
import pytest
from freqtrade.persistence import PairLocks
from freqtrade.rpc.rpc import RPC

from tests.live.bot import FIRST, live_bot
from tests.scenarios.engine import CALM, Play, Signal, level

pytestmark = pytest.mark.xdist_group("live")
SETTINGS = {"targets": {"reward_risk": 4.0}, "stops": {"trailing_start": 0.03}, "dca": {"enabled": False}}
RISING = [CALM, CALM, *level(104), *level(106), *level(106, 4)]


def test_a_blacklisted_pair_is_managed_to_its_end_and_entered_no_more(tmp_path):
    falling = (106.0, 106.0, 103.0, 103.0)
    rows = [CALM, CALM, *level(104), *level(106), falling, *level(103, 6)]
    plays = {"BTC": Play(rows, {0: Signal(), 6: Signal()}, 1), "ETH": Play([CALM] * 12, {}, 1)}
    with live_bot(tmp_path, plays, SETTINGS) as live:
        live.look(1.5)
        (trade,), first = live.trades, live.stops[0].stop_price
        RPC(live.bot)._rpc_blacklist(["BTC/USDT"])
        live.look(3.9)
        live.check()
        assert live.stops[0].stop_price > first  # it trails on
    with live_bot(tmp_path, plays, SETTINGS, exchange={"pair_blacklist": ["BTC/USDT"]}) as live:
        live.look(8.5)
        live.check()
        (trade,) = live.trades
        assert (trade.is_open, trade.exit_reason) == (False, "stoploss_on_exchange")
        assert live.account.open_orders() == []


@pytest.mark.parametrize(("seconds", "entered"), [(3, False), (600, True)])
def test_a_bot_that_comes_late_enters_nothing_where_the_user_says_so(tmp_path, seconds, entered):
    """Ten seconds after the signal's candle has closed: Freqtrade's ``ignore_buying_expired_candle_after``."""
    plays = {"BTC": Play([CALM] * 4, {0: Signal()}, 1)}
    with live_bot(tmp_path, plays, SETTINGS, ignore_buying_expired_candle_after=seconds) as live:
        live.look(1.5)
        assert bool(live.trades) == entered


@pytest.mark.parametrize("hours", [1, 50])
def test_a_clock_that_is_set_back_decides_nothing_twice(tmp_path, caplog, hours):
    plays = {"BTC": Play([*RISING, *level(106, 4)], {0: Signal(), 6: Signal()}, 1)}
    with live_bot(tmp_path, plays, SETTINGS) as live:
        live.look(3.5)
        ledger = live.bot.strategy.recorder._live.ledger.ledger
        known = ledger.read_decisions()
        orders = len(live.account.orders)
        now = pd.Timestamp(live.clock.now)
        with caplog.at_level(logging.WARNING):
            live.clock._move(-3600.0 * hours)
            for _ in range(6):
                live._process()
                live.clock.sleep(300.0)
            live.clock._move((now - pd.Timestamp(live.clock.now)).total_seconds())
            live.look(8.5)
        live.check()
        (trade,) = live.trades
        assert trade.is_open
        assert len(live.account.orders) >= orders
        after = ledger.read_decisions()
        assert 0 < len(known) < len(after)  # the later signal was decided
        pd.testing.assert_frame_equal(after.iloc[: len(known)], known)
        assert not after.duplicated(["pair", "time"]).any()
        assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_a_clock_that_jumps_ahead_and_back_leaves_no_lock_and_a_sound_ledger(tmp_path, caplog):
    """BTC is stopped out in three hours that the bot never saw; then two days back, and on."""
    rows = [CALM, CALM, *level(100, 2), *level(97, 7)]
    plays = {"BTC": Play(rows, {0: Signal(), 8: Signal()}, 1), "ETH": Play([CALM] * 11, {4: Signal()}, 1)}
    with live_bot(tmp_path, plays, SETTINGS) as live, caplog.at_level(logging.WARNING):
        decisions = live.bot.strategy.recorder._live
        ledger = decisions.ledger.ledger

        def decided():
            assert ledger.check() == []
            rows = ledger.read_decisions()
            learned_from = decisions.fold._remembered().signal_keys()
            assert sorted(learned_from) == sorted(set(learned_from))  # each was decided once
            assert len(learned_from) == len(rows)
            return list(rows["pair"])

        live.look(3.4, every=15)
        live.clock._move(3 * 3600.0)
        live.look(6.9, every=15)
        assert live.trades[0].exit_reason == "stoploss_on_exchange"
        # ETH's signal lies in the hours that were skipped: decided, so that it is learned from, and entered no more.
        assert decided() == ["BTC/USDT", "ETH/USDT"]
        assert [trade.pair for trade in live.trades] == ["BTC/USDT"]
        live.clock._move(-50 * 3600.0)
        for _ in range(4):
            live._process()
            live.clock.sleep(300.0)
        (lock,) = PairLocks.get_pair_locks("BTC/USDT", live.clock.now)
        assert pd.Timestamp(lock.lock_end_time, tz="UTC") <= FIRST + pd.Timedelta(
            hours=7
        )  # its own candle's end
        assert len(decided()) == 2
        live.clock._move(50 * 3600.0 - 1200.0)
        live.look(10.2, every=15)
        live.check()
        assert decided() == ["BTC/USDT", "ETH/USDT", "BTC/USDT"]
        assert [trade.pair for trade in live.trades if trade.is_open] == ["BTC/USDT"]
        assert not [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]
