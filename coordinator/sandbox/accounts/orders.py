"""Orders and fills of an account, as they are kept in its file."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["CONDITIONAL", "OPEN", "Fill", "Order", "OrderStatus", "OrderType", "Side"]

Side = Literal["BUY", "SELL"]
OrderType = Literal["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "STOP", "STOP_MARKET"]
OrderStatus = Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "TRIGGERED"]
OPEN: Final = ("NEW", "PARTIALLY_FILLED")
CONDITIONAL: Final = ("STOP_LOSS_LIMIT", "STOP", "STOP_MARKET")


class Order(BaseModel):
    """One order; amounts in base currency, prices in quote currency, times in milliseconds since the epoch.

    Attributes
    ----------
    price : limit; 0 where there is none
    stop_price : where a conditional order is triggered; 0 for others
    since : until when the market has been looked at for it
    fillable : what the market will ever fill; less than the amount by a fault
    triggered : whether a conditional order's price has been reached
    placed_order : id of the order that a futures conditional order placed when it was triggered
    parent : id of the conditional order that placed this one
    cost : quote currency paid or received so far, without fees
    """

    model_config = ConfigDict(extra="forbid")

    id: int
    client_id: str
    symbol: str
    side: Side
    type: OrderType
    amount: Decimal
    price: Decimal = Decimal(0)
    stop_price: Decimal = Decimal(0)
    time_in_force: str = "GTC"
    reduce_only: bool = False
    time: int
    updated: int
    since: int
    status: OrderStatus = "NEW"
    fillable: Decimal
    filled: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    triggered: bool = False
    placed_order: int | None = None
    parent: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status in OPEN

    @property
    def is_conditional(self) -> bool:
        """Whether it waits for its stop price, or did."""
        return self.type in CONDITIONAL

    @property
    def remaining(self) -> Decimal:
        """What has not been filled."""
        return self.amount - self.filled

    @property
    def due(self) -> Decimal:
        """What the market will still fill."""
        return self.fillable - self.filled

    @property
    def sign(self) -> int:
        """+1 for a purchase, -1 for a sale."""
        return 1 if self.side == "BUY" else -1

    @property
    def average(self) -> Decimal:
        """Mean price of what was filled; 0 where nothing was."""
        return self.cost / self.filled if self.filled else Decimal(0)


class Fill(BaseModel):
    """Part of an order that was executed.

    Attributes
    ----------
    fee, fee_asset : commission and its currency
    maker : whether the order had rested in the book
    realized : profit of the position it reduced, quote currency, without fees; futures only
    """

    model_config = ConfigDict(extra="forbid")

    id: int
    order: int
    symbol: str
    side: Side
    time: int
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    realized: Decimal = Decimal(0)
