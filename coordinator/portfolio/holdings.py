"""Open positions and what they are worth at a candle's close."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from coordinator.portfolio.market_prices import MarketPrices

__all__ = ["Holding", "ValuedHolding", "account_equity", "value_holdings"]


class Holding(NamedTuple):
    """A filled open position."""

    pair: str
    direction: int
    amount: float
    open_rate: float
    is_hedge: bool


class ValuedHolding(NamedTuple):
    """A position and its value at a close, stake currency."""

    holding: Holding
    value: float


def value_holdings(held: Iterable[Holding], prices: MarketPrices, time: int) -> list[ValuedHolding]:
    """Values at the close of the candle that opened at ``time``; at the entry's price where none is known."""
    valued = []
    for position in held:
        close = prices.close_at(position.pair, time)
        valued.append(
            ValuedHolding(position, position.amount * (position.open_rate if close is None else close))
        )
    return valued


def account_equity(wallet: float, valued: Iterable[ValuedHolding], *, futures: bool) -> float:
    """Wallet and open positions, stake currency.

    Parameters
    ----------
    wallet : total of the stake currency, without open positions in spot and without their profit in futures
    """
    equity = wallet
    for position, value in valued:
        cost = position.direction * position.amount * position.open_rate
        equity += position.direction * value - cost if futures else value
    return equity
