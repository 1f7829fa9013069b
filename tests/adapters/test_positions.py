from datetime import UTC, datetime, timedelta

import pytest
from freqtrade.persistence import LocalTrade, Order

from coordinator.adapters.persistence.plan_book import PlanBook
from coordinator.adapters.persistence.trade_rows import intended_row, trade_row
from coordinator.run.entry_plans import make_plan
from coordinator.settings import Settings
from coordinator.trade.entries import EntryPlan
from coordinator.trade.plan import Plan

OPEN = datetime(2024, 1, 1, 5, tzinfo=UTC)
SIGNAL = int(datetime(2024, 1, 1, 4, tzinfo=UTC).timestamp())


def trade(is_short=False, filled=True, opened=OPEN, price=100.0):
    made = LocalTrade(
        pair="BTC/USDT",
        stake_amount=100.0,
        amount=1.0,
        open_rate=price,
        open_date=opened,
        fee_open=0.001,
        fee_close=0.001,
        exchange="binance",
        is_short=is_short,
        leverage=1.0,
    )
    if filled:
        made.orders.append(
            Order(
                ft_order_side=made.entry_side,
                side=made.entry_side,
                ft_is_open=False,
                status="closed",
                price=price,
                average=price,
                ft_price=price,
                amount=1.0,
                ft_amount=1.0,
                filled=1.0,
                remaining=0.0,
                ft_pair="BTC/USDT",
                order_date=opened,
                order_filled_date=opened,
                order_type="limit",
            )
        )
        made.recalc_trade_from_orders()
    return made


@pytest.fixture
def book():
    book = PlanBook(Settings(), 3600)
    book.set_plans("BTC/USDT", {SIGNAL: make_plan(Settings(), 1, 0.8, 0.02, 0.05)})
    return book


def test_a_trade_finds_the_plan_of_the_candle_before_it(book):
    for minutes in (0, 1, 59):
        plan = book.of_trade(trade(opened=OPEN + timedelta(minutes=minutes)), stored=False)
        assert (plan.stop_distance, plan.anchor) == (0.02, 100.0)
        assert plan.target_rate == pytest.approx(105)


def test_another_candle_or_the_other_side_is_another_plan(book):
    """A forced long on a short signal must not take the short's stop."""
    for other in (trade(opened=OPEN + timedelta(hours=1)), trade(is_short=True)):
        plan = book.of_trade(other, stored=False)
        assert plan.stop_distance == 0.03
        assert plan.entries.shares == (1.0,)
        assert plan.direction == (-1 if other.is_short else 1)


def test_an_unfilled_trade_has_no_anchor_yet(book):
    waiting = trade(filled=False, price=101.0)
    book.of_trade(waiting, stored=False)
    assert book.of_trade(trade(price=99.5), stored=False).anchor == 99.5


def test_the_anchor_stays_the_first_fill_when_a_tranche_lowers_the_average(book):
    averaged = trade()
    averaged.orders += trade(price=90.0).orders
    averaged.recalc_trade_from_orders()
    assert averaged.open_rate == pytest.approx(95.0)
    assert book.of_trade(averaged, stored=False).anchor == 100.0


def test_the_ledgers_row_counts_the_tranches_planned_and_filled():
    plan = Plan(1, 0.7, 0.02, 0.05, EntryPlan((0.4, 0.35, 0.25), (0.0, 0.005, 0.01)), 100.0)
    two = trade()
    two.orders += trade(price=99.5).orders
    two.recalc_trade_from_orders()
    rows = intended_row("BTC/USDT", plan, 1, OPEN, SIGNAL), trade_row(two, plan, SIGNAL)
    assert [(row.tranches_planned, row.tranches_filled) for row in rows] == [(3, 0), (3, 2)]
    assert intended_row("BTC/USDT", None, 1, OPEN, SIGNAL).tranches_planned == 1


def test_new_signals_forget_old_trades(book):
    assert book.of_trade(trade(), stored=False).stop_distance == 0.02
    book.set_plans("BTC/USDT", {SIGNAL: make_plan(Settings(), 1, 0.8, 0.01, 0.05)})
    assert book.of_trade(trade(), stored=False).stop_distance == 0.01


def test_a_bot_killed_before_the_fill_was_seen_waits_for_its_analysis():
    """Between an entry's order and its fill no plan stands in the trade: the signal's is taken, never the hard stop."""
    kept = {}
    open_trade = trade()
    open_trade.get_custom_data, open_trade.set_custom_data = kept.get, kept.__setitem__
    begun = PlanBook(Settings(), 3600)
    assert not begun.analysed
    assert begun.awaits_analysis(open_trade)
    assert begun.of_trade(open_trade, stored=True).stop_distance == Settings().stops.hard_limit
    assert not kept
    begun.set_plans("ETH/USDT", {})
    assert begun.analysed
    assert begun.awaits_analysis(open_trade)
    begun.set_plans("BTC/USDT", {SIGNAL: make_plan(Settings(), 1, 0.8, 0.02, 0.05)})
    assert not begun.awaits_analysis(open_trade)
    assert begun.of_trade(open_trade, stored=True).stop_distance == 0.02
    assert Plan.from_json(kept["coordinator plan"]).stop_distance == 0.02
    again = PlanBook(Settings(), 3600)
    assert not again.awaits_analysis(open_trade)
    assert again.of_trade(open_trade, stored=True).stop_distance == 0.02


def test_plans_survive_a_restart_in_custom_data():
    plan = Plan(-1, 0.7, 0.02, 0.05, EntryPlan((0.4, 0.35, 0.25), (0.0, 0.005, 0.01)), 100.0)
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"entries": {}}', "null"])
def test_stored_plans_that_are_not_plans_are_told_apart(text):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Plan.from_json(text)


@pytest.mark.parametrize("is_short", [False, True])
def test_a_targets_profit_at_any_distance_is_freqtrades(book, is_short):
    """The line through the target's profit gives what Freqtrade computes at the price itself, fees and leverage in."""
    found = trade(is_short=is_short)
    found.leverage = 3.0
    found.recalc_trade_from_orders()
    side = -1 if is_short else 1
    book.set_plans("BTC/USDT", {SIGNAL: make_plan(Settings(), side, 0.8, 0.02, 0.05)})
    for factor in (0.75, 1.0, 1.1, 1.25):
        price = 100.0 * (1 + side * 0.05 * factor)
        expected = found.calc_profit_ratio(price)
        assert book.target_profit(found, stored=False, factor=factor) == pytest.approx(expected, abs=2e-8)
