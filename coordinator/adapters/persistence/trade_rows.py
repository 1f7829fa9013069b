"""Freqtrade's trades as rows of the ledger: fills beside intentions, profit in R."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from freqtrade.persistence import Trade

from coordinator.ledger.trades import TradeRow
from coordinator.trade.plan import Plan

__all__ = ["intended_row", "trade_row", "unfilled_row"]


def intended_row(pair: str, plan: Plan | None, direction: int, now: datetime, signal_time: int) -> TradeRow:
    """An entry that is about to be ordered; without a plan it was forced by hand."""
    return TradeRow(
        time=signal_time,
        pair=pair,
        direction=direction,
        opened_at=now,
        intended_price=(plan.price or None) if plan else None,
        tranches_planned=len(plan.entries.shares) if plan else 1,
    )


def unfilled_row(row: TradeRow, now: datetime) -> TradeRow:
    """The row of an entry that was ordered and never filled."""
    return replace(row, closed_at=now, exit_reason="entry not filled")


def trade_row(trade: Trade, plan: Plan, signal_time: int) -> TradeRow:
    """A trade as far as it has come.

    The initial risk is what the filled entries would have lost at the plan's stop, so R compares with the virtual
    trade's: -1 is a full stop whatever share of the plan was filled.
    """
    entries = trade.select_filled_orders(trade.entry_side)
    # A stop at the exchange has a side of its own, and may be older than an exit that filled before it.
    filled = [order for order in trade.select_filled_orders() if order.ft_order_side != trade.entry_side]
    exits = sorted(filled, key=lambda order: order.order_filled_date or order.order_date)
    bought = sum(order.safe_filled for order in entries)
    cost = sum(order.safe_filled * order.safe_price for order in entries)
    earned = sum(order.safe_filled * order.safe_price for order in exits)
    mean = cost / bought if bought else 0.0
    stop = plan.anchor * (1 - plan.direction * plan.stop_distance)
    risk = bought * plan.direction * (mean - stop)
    closed = not trade.is_open
    last_exit = exits[-1] if exits and closed else None
    profit = float(trade.close_profit_abs or 0.0) if closed else None
    return TradeRow(
        time=signal_time,
        pair=trade.pair,
        direction=plan.direction,
        opened_at=trade.open_date_utc,
        closed_at=trade.close_date_utc if closed else None,
        intended_price=plan.price or None,
        filled_price=mean or None,
        stake=cost / (trade.leverage or 1.0),
        fees=cost * (trade.fee_open or 0.0) + earned * (trade.fee_close or 0.0),
        profit=profit,
        r=profit / risk if profit is not None and risk > 0 else None,
        exit_reason=trade.exit_reason if closed else None,
        tranches_planned=len(plan.entries.shares),
        tranches_filled=len(entries),
        intended_exit_price=(last_exit.ft_price or None) if last_exit else None,
        exit_price=last_exit.safe_price if last_exit else None,
    )
