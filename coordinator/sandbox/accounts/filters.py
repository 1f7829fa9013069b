"""The rules that an order must keep, with the codes that Binance refuses it by."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from coordinator.sandbox.accounts.account import Pair
from coordinator.sandbox.accounts.matching import Book
from coordinator.sandbox.accounts.minimum_notional import minimum_notional
from coordinator.sandbox.accounts.orders import Order
from coordinator.sandbox.binance_errors import BinanceError, required

__all__ = ["check_filters", "check_stop", "number"]


def number(query: Mapping[str, str], name: str) -> Decimal:
    """A parameter that must be there and be a number above 0."""
    text = required(query, name)
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'.")
    if value <= 0:
        raise BinanceError(-1013, f"Invalid {name}.")
    return value


def check_filters(order: Order, pair: Pair, book: Book, *, futures: bool) -> None:
    """Price and amount on their grids, and worth enough.

    Raises
    ------
    BinanceError
        -1013 in spot; in futures -4014, -1111 and -4164.
    """
    for price in (order.price, order.stop_price):
        if _off_grid(price, pair.price_digits):
            if futures:
                raise BinanceError(-4014, "Price not increased by tick size.")
            raise BinanceError(-1013, "Filter failure: PRICE_FILTER")
    if _off_grid(order.amount, pair.amount_digits):
        if futures:
            raise BinanceError(-1111, "Precision is over the maximum defined for this asset.")
        raise BinanceError(-1013, "Filter failure: LOT_SIZE")
    price = order.price or order.stop_price or book.taken(order)
    least = minimum_notional(pair.quote)
    if order.amount * price < least and not order.reduce_only:
        if futures:
            message = f"Order's notional must be no smaller than {least} (unless you choose reduce only)."
            raise BinanceError(-4164, message)
        raise BinanceError(-1013, "Filter failure: NOTIONAL")


def check_stop(order: Order, last: Decimal, *, futures: bool) -> None:
    """A stop that would be triggered at once is refused: -2010 in spot, -2021 in futures."""
    if order.is_conditional and order.sign * (last - order.stop_price) >= 0:
        if futures:
            raise BinanceError(-2021, "Order would immediately trigger.")
        raise BinanceError(-2010, "Stop price would trigger immediately.")


def _off_grid(value: Decimal, digits: int) -> bool:
    return value != value.quantize(Decimal(1).scaleb(-digits))
