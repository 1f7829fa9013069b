"""What signed requests say about orders, read as Binance reads them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

from coordinator.sandbox.accounts.filters import number
from coordinator.sandbox.accounts.orders import Order, OrderType
from coordinator.sandbox.binance_errors import BinanceError, integer, required
from coordinator.sandbox.market_data import Json

__all__ = ["order_id", "parse_order", "text", "within"]


def parse_order(query: Mapping[str, str], stop_name: str, book_price: Decimal | None = None) -> Order:
    """A new order, not yet accepted.

    Parameters
    ----------
    stop_name : the parameter that holds the stop price
    book_price : at which ``quoteOrderQty`` is turned into an amount; None where that is not known
    """
    side, kind = required(query, "side"), required(query, "type")
    if side not in ("BUY", "SELL"):
        raise BinanceError(-1117, "Invalid side.")
    if kind not in get_args(OrderType):
        raise BinanceError(-1116, "Invalid orderType.")
    if "quoteOrderQty" in query and book_price is not None:
        amount = number(query, "quoteOrderQty") / book_price
    else:
        amount = number(query, "quantity")
    has_price = kind not in ("MARKET", "STOP_MARKET")
    return Order(
        id=0,
        client_id=query.get("newClientOrderId") or query.get("clientAlgoId", ""),
        symbol=required(query, "symbol"),
        side=side,
        type=kind,
        amount=amount,
        fillable=amount,
        price=number(query, "price") if has_price else Decimal(0),
        stop_price=number(query, stop_name) if kind.startswith("STOP") else Decimal(0),
        time_in_force=query.get("timeInForce", "GTC"),
        reduce_only=query.get("reduceOnly", "").lower() == "true",
        time=0,
        updated=0,
        since=0,
    )


def order_id(query: Mapping[str, str], name: str = "orderId") -> int:
    """The number of an order; one that is none is no order's."""
    required(query, name)
    return integer(query, name, 0, 0, 10**15)


def within(rows: list[Json], query: Mapping[str, str], default: int = 500) -> list[Json]:
    """Rows with a time of startTime..endTime: the first ``limit`` of them, without startTime the latest."""
    start, end = (integer(query, name, -1, 0, 10**15) for name in ("startTime", "endTime"))
    limit = integer(query, "limit", default, 1, 1000)
    found = [row for row in rows if row["time"] >= start and (end < 0 or row["time"] <= end)]
    return found[-limit:] if start < 0 else found[:limit]


def text(value: Decimal) -> str:
    """A number as Binance writes it: fixed, eight decimals at most."""
    return f"{value:.8f}"
