"""A live bot's orders that go wrong: unfilled, half filled, too small, limited in rate."""

import logging

import pytest

from coordinator.sandbox.accounts.matching import round_down
from coordinator.sandbox.faults import Faults
from tests.live.bot import Coin, live_bot
from tests.scenarios.engine import CALM, Play, Signal, level

pytestmark = pytest.mark.xdist_group("live")
AT_ONCE = {"dca": {"enabled": False}}


def long(rows, confidence=0.8, **more):
    return Play(rows, {0: Signal(confidence)}, 1, **more)


def test_an_entry_that_never_fills_is_cancelled_and_leaves_nothing(tmp_path):
    with live_bot(tmp_path, {"BTC": long([CALM] * 5)}, AT_ONCE, faults=Faults(no_fill=1.0)) as live:
        live.look(1.3)
        assert [order.status for order in live.account.orders.values()][-1] == "NEW"
        live.look(2.6)
        assert live.trades == []
        orders = list(live.account.orders.values())
        assert {order.status for order in orders} == {"CANCELED"}
        assert orders[0].updated - orders[0].time == 10 * 60_000  # unfilledtimeout
        assert len(orders) <= 6  # as long as the signal's candle is the last one
        assert live.account.fills == []
        assert live.account.balances == {"USDT": 10_000}


def test_an_exit_that_does_not_fill_is_tried_again_and_the_stop_stands_between(tmp_path):
    """The price stands still below the best ask for a quarter of an hour: the exit times out and is ordered anew."""
    rows = [CALM, CALM, *level(99, 4)]
    settings = {**AT_ONCE, "exits": {"moving_average": True}}
    with live_bot(tmp_path, {"BTC": Coin(long(rows), still=2)}, settings) as live:
        live.look(2.9)
        assert len(live.stops) == 1
        live.look(4.5)
        live.check()
        orders = live.account.orders.values()
        exits = [order for order in orders if order.side == "SELL" and not order.is_conditional]
        stops = [order for order in orders if order.is_conditional]
        assert len(exits) >= 2
        assert {order.status for order in exits[:-1]} == {"CANCELED"}
        assert len(stops) == len(
            exits
        )  # a new one between two exits, where an exit in the book binds the coins
        assert {order.status for order in stops} == {"CANCELED"}
        (trade,) = live.trades
        assert (trade.is_open, trade.exit_reason) == (False, "below the exit MA")
        assert sum(fill.side == "SELL" for fill in live.account.fills) == 1
        assert live.account.open_orders() == []


def test_half_an_entry_is_a_smaller_plan(tmp_path):
    """Each limit order fills by half and times out: the trade keeps its part, and so do the tranches and the stop."""
    rows = [CALM, CALM, *level(100), *level(99.45, 2), *level(97, 2)]
    with live_bot(tmp_path, {"BTC": long(rows, 0.74)}, faults=Faults(partial_fill=1.0)) as live:
        live.look(2.9)
        live.check()
        (trade,), (stop,) = live.trades, live.stops
        entry = live.account.orders[1]
        assert entry.status == "CANCELED"
        assert entry.filled == round_down(entry.amount / 2, 5)
        first = trade.amount
        assert first == pytest.approx(float(entry.filled), rel=2e-3)
        assert float(stop.amount) == pytest.approx(first)
        live.look(4.9)
        live.check()
        second = next(o for o in live.account.orders.values() if o.id > 1 and o.side == "BUY")
        assert float(second.amount) == pytest.approx(
            first * 35 / 40, rel=0.02
        )  # of what the first one filled
        assert second.status == "CANCELED"
        (trade,), (stop,) = live.trades, live.stops
        assert trade.amount == pytest.approx(first + float(second.filled), rel=2e-3)
        assert float(stop.amount) == pytest.approx(trade.amount)
        live.look(6.5)
        live.check()
        (trade,) = live.trades
        assert (trade.is_open, trade.exit_reason) == (False, "stoploss_on_exchange")
        assert live.account.open_orders() == []


@pytest.mark.parametrize(("balance", "orders"), [(40.0, 0), (100.0, 1)])
def test_a_small_wallet_orders_nothing_that_is_refused_and_says_so_once(tmp_path, caplog, balance, orders):
    with (
        caplog.at_level(logging.INFO),
        live_bot(tmp_path, {"BTC": long([CALM] * 4, 0.74)}, balance=balance) as live,
    ):
        live.look(1.9)
        live.check()
        assert sum(not order.is_conditional for order in live.account.orders.values()) == orders
    said = [
        r.getMessage() for r in caplog.records if "minimum" in r.getMessage() and "rpc" not in r.getMessage()
    ]
    assert len(said) == 1 - orders, said
    assert not [record for record in caplog.records if "Filter failure" in record.getMessage()]


def test_nothing_is_ordered_twice_while_the_exchange_limits_orders(tmp_path, caplog):
    rows = [
        CALM,
        CALM,
        *level(99.45, 2),
        *level(104.5),
        *level(106, 2),
        (106.0, 106.0, 103.8, 104.0),
        *level(104),
    ]
    settings = {
        "exits": {"scale_out": {"mode": "on"}},
        "targets": {"reward_risk": 4.0},
        "stops": {"trailing_start": 0.03},
    }
    plays = {"BTC": long(rows, 0.74), "ETH": long(rows, 0.74)}
    with live_bot(tmp_path, plays, settings, faults=Faults(order_limit=0.3, seed=5)) as live:
        for row in (2.9, 4.9, 7.5, 9.0):
            live.look(row, every=10)
            live.check()
        assert sum("-1015" in record.getMessage() for record in caplog.records) > 3
        known = {order.order_id for trade in live.trades for order in trade.orders}
        assert {str(order) for order in live.account.orders} <= known
        assert len(live.trades) == 2
        for trade in live.trades:
            bought = [o for o in trade.orders if o.ft_order_side == "buy" and o.filled]
            assert len(bought) == 2
            assert not trade.is_open
        assert live.account.open_orders() == []
