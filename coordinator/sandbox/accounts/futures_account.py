"""A USDT-margined futures account in one-way mode: wallet, isolated positions, funding. Nothing is ever liquidated."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coordinator.sandbox.accounts.account import Account, Pair
from coordinator.sandbox.accounts.matching import round_down
from coordinator.sandbox.accounts.orders import Fill, Order
from coordinator.sandbox.binance_errors import BinanceError

__all__ = ["FuturesAccount", "Income", "Position"]

_MAKER_FEE: Final = Decimal("0.0002")
_TAKER_FEE: Final = Decimal("0.0005")
_INSUFFICIENT: Final = BinanceError(-2019, "Margin is insufficient.")
_DEFAULT_LEVERAGE: Final = 20


class Position(BaseModel):
    """What is held of a symbol.

    Attributes
    ----------
    amount : base currency, negative for a short
    entry : mean entry price
    since : when it was last opened from nothing, milliseconds
    """

    model_config = ConfigDict(extra="forbid")

    amount: Decimal = Decimal(0)
    entry: Decimal = Decimal(0)
    since: int = 0


class Income(BaseModel):
    """A funding payment, negative where it was paid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str
    time: int
    amount: Decimal


class FuturesAccount(Account):
    """Wallet and positions. Funding is settled on what was held at its time.

    Attributes
    ----------
    wallet : balance in the quote currency, without open profit
    asset : that currency
    positions, leverage, margin : by symbol
    """

    wallet: Decimal
    asset: str = "USDT"
    positions: dict[str, Position] = Field(default_factory=dict)
    leverage: dict[str, int] = Field(default_factory=dict)
    margin: dict[str, str] = Field(default_factory=dict)
    income: list[Income] = Field(default_factory=list)

    def leverage_of(self, symbol: str) -> int:
        """Initial leverage; Binance's default is 20."""
        return self.leverage.get(symbol, _DEFAULT_LEVERAGE)

    def position(self, symbol: str) -> Position:
        """What is held of a symbol, possibly nothing."""
        return self.positions.get(symbol, Position())

    def position_margin(self, symbol: str) -> Decimal:
        """Margin bound by a position."""
        held = self.position(symbol)
        return abs(held.amount) * held.entry / self.leverage_of(symbol)

    def order_margin(self) -> Decimal:
        """Margin bound by open orders that may enlarge a position."""
        orders = [o for o in self.open_orders() if not o.reduce_only and not o.is_conditional]
        return sum((o.remaining * o.price / self.leverage_of(o.symbol) for o in orders), Decimal(0))

    def available(self) -> Decimal:
        """Margin that a new order may bind."""
        bound = sum((self.position_margin(symbol) for symbol in self.positions), Decimal(0))
        return self.wallet - bound - self.order_margin()

    def reducible(self, order: Order) -> Decimal:
        """How much of a symbol's position an order can take away."""
        held = self.position(order.symbol).amount
        return abs(held) if held * order.sign < 0 else Decimal(0)

    def check_funds(self, order: Order, price: Decimal) -> None:
        """Binance's -2019 for want of margin, -2022 where a reduce-only order finds nothing to reduce."""
        if order.reduce_only:
            if not self.reducible(order):
                raise BinanceError(-2022, "ReduceOnly Order is rejected.")
            return
        new = max(Decimal(0), order.amount - self.reducible(order))
        if new * price / self.leverage_of(order.symbol) > self.available():
            raise _INSUFFICIENT

    def fill(self, order: Order, pair: Pair, time: int, price: Decimal, amount: Decimal, maker: bool) -> Fill:
        """Execute part of an order: first what reduces the position, then what enlarges it."""
        held = self.positions.setdefault(order.symbol, Position())
        closing = min(amount, self.reducible(order))
        realized = closing * (price - held.entry) * -order.sign
        held.amount += order.sign * closing
        opening = amount - closing
        if opening:
            if not held.amount:
                held.since = time
            size = abs(held.amount)
            held.entry = (held.entry * size + price * opening) / (size + opening)
            held.amount += order.sign * opening
        if not held.amount:
            held.entry = Decimal(0)
        fee = round_down(price * amount * (_MAKER_FEE if maker else _TAKER_FEE), 8)
        self.wallet += realized - fee
        return self.book_fill(order, time, price, amount, fee, pair.quote, maker, realized)

    def settle_funding(self, symbol: str, time: int, rate: Decimal, mark: Decimal) -> None:
        """Longs pay a positive rate to shorts on the position's value at the mark price."""
        held = self.position(symbol).amount
        if held:
            payment = -held * mark * rate
            self.wallet += payment
            self.income.append(Income(symbol=symbol, time=time, amount=payment))
