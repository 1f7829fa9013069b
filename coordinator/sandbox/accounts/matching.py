"""Orders against a price path: what happens to an order next. Pure; the book is as deep as anybody asks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Literal, NamedTuple

from coordinator.sandbox.accounts.orders import Order
from coordinator.sandbox.accounts.price_path import Move, first_reached

__all__ = ["Book", "Event", "next_event", "round_down"]


class Book(NamedTuple):
    """Best prices."""

    bid: Decimal
    ask: Decimal

    def taken(self, order: Order) -> Decimal:
        """The price at which an order takes from the book."""
        return self.ask if order.side == "BUY" else self.bid

    def crosses(self, order: Order) -> bool:
        """Whether an order's limit reaches the other side."""
        return order.sign * (order.price - self.taken(order)) >= 0


class Event(NamedTuple):
    """What happens to an order: its stop price is reached, or it fills as a maker at its limit.

    Attributes
    ----------
    time : milliseconds
    price : the market's at a trigger, the order's at a fill
    """

    time: int
    order: int
    kind: Literal["trigger", "fill"]
    price: float


def next_event(order: Order, moves: Sequence[Move], until: int) -> Event | None:
    """The next event of an open order by ``until``, or None.

    Parameters
    ----------
    moves : sequence of Move
        The symbol's path from ``order.since`` on.
    """
    level: float
    below: bool
    kind: Literal["trigger", "fill"]
    if order.is_conditional and not order.triggered:
        level, below, kind = float(order.stop_price), order.side == "SELL", "trigger"
    elif order.type == "STOP_LOSS_LIMIT" or not order.is_conditional:
        if not order.due:
            return None
        level, below, kind = float(order.price), order.side == "BUY", "fill"
    else:
        return None  # a triggered futures order lives on in the order that it placed
    reached = first_reached(moves, level, below, order.since, until)
    if reached is None:
        return None
    return Event(reached[0], order.id, kind, reached[1] if kind == "trigger" else level)


def round_down(amount: Decimal, digits: int) -> Decimal:
    """An amount cut off after so many decimals.

    Examples
    --------
    >>> round_down(Decimal("1.2399"), 2)
    Decimal('1.23')
    """
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN)
