"""A live bot's pairs that stop trading, leave the list, or are new."""

import logging

import pandas as pd
import pytest

from coordinator.sandbox.faults import Faults
from tests.live.bot import FIRST, ROOT, Coin, live_bot
from tests.scenarios.engine import CALM, HISTORY, Play, Signal, level

pytestmark = pytest.mark.xdist_group("live")
AT_ONCE = {"dca": {"enabled": False}}


def at(row):
    return (FIRST + pd.Timedelta(hours=row)).to_pydatetime()


def bad(caplog):
    """Errors and tracebacks in the log."""
    return [f"{r.name}: {r.getMessage()}" for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]


def test_a_halted_and_a_delisted_pair_do_not_stop_the_others(tmp_path, caplog):
    """ETH is halted and SOL is gone while both have an open trade; BTC trades on, to its stop."""
    rows = [CALM, CALM, *level(100, 3), *level(97, 2)]
    plays = {coin: Play(rows, {0: Signal()}, 1) for coin in ("BTC", "ETH", "SOL")}
    faults = Faults(halted={"ETH/USDT": at(2.5)}, delisted={"SOL/USDT": at(2.5)})
    caplog.set_level(logging.INFO)
    with live_bot(tmp_path, plays, AT_ONCE, faults=faults) as live:
        live.look(2.3, every=15)
        live.check()
        assert {order.symbol for order in live.stops} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
        live.look(6.5, every=15)
        held = {trade.pair: trade for trade in live.trades}
        assert len(held) == 3
        assert (held["BTC/USDT"].is_open, held["BTC/USDT"].exit_reason) == (False, "stoploss_on_exchange")
        assert held["ETH/USDT"].is_open
        assert held["SOL/USDT"].is_open
        # The halted pair's stop waits at the exchange; a delisted one's orders are gone with it.
        assert {order.symbol for order in live.stops} == {"ETHUSDT"}
        assert sum(fill.side == "SELL" for fill in live.account.fills) == 1
    # Freqtrade says at each look that nothing can be done for SOL; nothing else is wrong, and nothing of ours.
    assert [line for line in bad(caplog) if not line.startswith("freqtrade.") or "SOL" not in line] == []


def test_a_pair_that_left_the_list_is_managed_to_its_end(tmp_path, caplog):
    """The list is the one pair that is traded most: first BTC, entered; then ETH, whose later signal is entered too."""
    btc = Play([CALM, CALM, *level(100, 4), *level(97, 2)], {0: Signal()}, 1)
    eth = Play([CALM] * 8, {4: Signal()}, 1)
    pairlists = [
        {"method": "VolumePairList", "number_assets": 1, "sort_key": "quoteVolume", "refresh_period": 1800}
    ]
    caplog.set_level(logging.INFO)
    plays = {"BTC": btc, "ETH": Coin(eth, volume=0.5, busy=2)}
    with live_bot(tmp_path, plays, AT_ONCE, pairlists=pairlists, max_open_trades=3) as live:
        live.look(1.9, every=10)
        assert live.bot.active_pair_whitelist == ["BTC/USDT"]
        assert [trade.pair for trade in live.trades] == ["BTC/USDT"]
        live.look(5.8, every=10)
        live.check()
        assert live.bot.pairlists.whitelist[0] == "ETH/USDT"
        assert [trade.pair for trade in live.trades] == ["BTC/USDT", "ETH/USDT"]
        assert {order.symbol for order in live.stops} == {"BTCUSDT", "ETHUSDT"}
        live.look(7.0, every=10)
        live.check()
        first, second = live.trades
        assert (first.is_open, first.exit_reason) == (False, "stoploss_on_exchange")
        assert second.is_open
        assert live.bot.pairlists.whitelist == ["ETH/USDT"]
    assert bad(caplog) == []


def test_a_new_listing_is_not_traded_before_it_has_a_history(tmp_path, caplog):
    """The real baseline on a pair of a day's age that does nothing but rise, beside an old one that does the same."""
    rising = [(100 + i, 101.2 + i, 99.9 + i, 101 + i) for i in range(8)]
    plays = {
        "BTC": Coin(Play(rising, {}, 1)),
        "NEW": Coin(Play(rising, {}, 1), since=HISTORY - 24),
    }
    caplog.set_level(logging.INFO)
    settings = {"baseline": {"clock": "1h"}}
    strategy = {"strategy": "TechnicalBaseline", "strategy_path": str(ROOT / "strategies")}
    with live_bot(tmp_path, plays, settings, **strategy) as live:
        live.look(7.0, every=15)
        live.check()
        assert {trade.pair for trade in live.trades} == {"BTC/USDT"}
    assert bad(caplog) == []
