"""A pair that is put on the blacklist while it is held, and a machine whose clock is set back."""

import logging

import pandas as pd
import pytest
from freqtrade.rpc.rpc import RPC

from tests.live.bot import live_bot
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
