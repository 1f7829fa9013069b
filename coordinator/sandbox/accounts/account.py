"""What spot and futures accounts share: orders, fills and their numbers."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from coordinator.sandbox.accounts.orders import Fill, Order

__all__ = ["Account", "Pair"]


class Pair(BaseModel):
    """What an account must know of a symbol.

    Attributes
    ----------
    price_digits, amount_digits : decimals of prices and amounts
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    quote: str
    price_digits: int
    amount_digits: int


class Account(BaseModel):
    """Orders and fills; travels as JSON.

    Attributes
    ----------
    pairs : every symbol ever ordered, kept because a delisted one is no longer in the market
    orders : by id, open and closed
    fills : in the order in which they happened
    seen : until when the market has been looked at, milliseconds
    """

    model_config = ConfigDict(extra="forbid")

    pairs: dict[str, Pair] = {}
    orders: dict[int, Order] = {}
    fills: list[Fill] = []
    seen: int = 0

    def open_orders(self) -> list[Order]:
        """Orders that can still fill."""
        return [order for order in self.orders.values() if order.is_open]

    def next_id(self) -> int:
        """The id of the next order."""
        return len(self.orders) + 1

    @abstractmethod
    def check_funds(self, order: Order, price: Decimal) -> None:
        """BinanceError where the account cannot afford an order."""

    @abstractmethod
    def reducible(self, order: Order) -> Decimal:
        """How much of a position an order can take away."""

    @abstractmethod
    def fill(self, order: Order, pair: Pair, time: int, price: Decimal, amount: Decimal, maker: bool) -> Fill:
        """Execute part of an order."""

    def book_fill(
        self,
        order: Order,
        time: int,
        price: Decimal,
        amount: Decimal,
        fee: Decimal,
        fee_asset: str,
        maker: bool,
        realized: Decimal = Decimal(0),
    ) -> Fill:
        """Note a fill on its order and in the history."""
        order.filled += amount
        order.cost += price * amount
        order.status = "FILLED" if order.filled == order.amount else "PARTIALLY_FILLED"
        order.updated = time
        fill = Fill(
            id=len(self.fills) + 1,
            order=order.id,
            symbol=order.symbol,
            side=order.side,
            time=time,
            price=price,
            amount=amount,
            fee=fee,
            fee_asset=fee_asset,
            maker=maker,
            realized=realized,
        )
        self.fills.append(fill)
        return fill
