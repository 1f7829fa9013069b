"""A spot account: what is owned of each currency, and what open orders lock of it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Final

from coordinator.sandbox.accounts.account import Account, Pair
from coordinator.sandbox.accounts.matching import round_down
from coordinator.sandbox.accounts.orders import Fill, Order
from coordinator.sandbox.binance_errors import BinanceError

__all__ = ["SpotAccount"]

_FEE: Final = Decimal("0.001")
_INSUFFICIENT: Final = BinanceError(-2010, "Account has insufficient balance for requested action.")


class SpotAccount(Account):
    """Balances of currencies. A fee is taken from what an order brings in, as on Binance without BNB.

    Attributes
    ----------
    balances : owned, locked parts included
    """

    balances: dict[str, Decimal]

    def locked(self) -> defaultdict[str, Decimal]:
        """What open orders bind of each currency."""
        bound: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in self.open_orders():
            pair = self.pairs[order.symbol]
            if order.side == "SELL":
                bound[pair.base] += order.remaining
            else:
                bound[pair.quote] += order.remaining * order.price
        return bound

    def free(self, asset: str) -> Decimal:
        """What a new order may bind."""
        return self.balances.get(asset, Decimal(0)) - self.locked()[asset]

    def check_funds(self, order: Order, price: Decimal) -> None:
        """Binance's -2010 where an order wants more than is free.

        Parameters
        ----------
        price : at which it would fill
        """
        pair = self.pairs[order.symbol]
        asset, needed = (
            (pair.base, order.amount) if order.side == "SELL" else (pair.quote, order.amount * price)
        )
        if needed > self.free(asset):
            raise _INSUFFICIENT

    def reducible(self, order: Order) -> Decimal:
        """What is owned to be sold; spot knows no reduce-only orders."""
        base = self.pairs[order.symbol].base
        return self.balances.get(base, Decimal(0)) if order.side == "SELL" else Decimal(0)

    def fill(self, order: Order, pair: Pair, time: int, price: Decimal, amount: Decimal, maker: bool) -> Fill:
        """Execute part of an order."""
        cost = price * amount
        if order.side == "BUY":
            fee, fee_asset = round_down(amount * _FEE, 8), pair.base
            changes = {pair.quote: -cost, pair.base: amount - fee}
        else:
            fee, fee_asset = round_down(cost * _FEE, 8), pair.quote
            changes = {pair.base: -amount, pair.quote: cost - fee}
        for asset, change in changes.items():
            self.balances[asset] = self.balances.get(asset, Decimal(0)) + change
        return self.book_fill(order, time, price, amount, fee, fee_asset, maker)
