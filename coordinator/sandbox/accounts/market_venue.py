"""The market data of a trading mode as the venue of a matching engine."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from coordinator.sandbox.accounts.account import Pair
from coordinator.sandbox.accounts.matching import Book
from coordinator.sandbox.accounts.price_path import Move, price_path
from coordinator.sandbox.faults import Faults
from coordinator.sandbox.market_data import MarketData
from coordinator.sandbox.store import Listing

__all__ = ["MarketVenue"]


class MarketVenue:
    """See :class:`~coordinator.sandbox.accounts.matching_engine.Venue` for what is asked of it."""

    def __init__(self, market: MarketData, faults: Faults) -> None:
        self._market, self._faults = market, faults

    def now(self) -> int:
        """The exchange's clock."""
        return self._market.now()

    def pair(self, symbol: str) -> Pair:
        """A listed symbol."""
        listing = self._market.one({"symbol": symbol})
        return Pair(
            base=listing.base,
            quote=listing.quote,
            price_digits=listing.price_digits,
            amount_digits=listing.amount_digits,
        )

    def is_open(self, symbol: str) -> bool:
        """Whether the symbol trades at present."""
        return self._market.status(self._listing(symbol)) == "TRADING"

    def delisted(self, symbol: str) -> int | None:
        """Since when a symbol is gone."""
        return self._market.delisted(self._listing(symbol))

    def book(self, symbol: str, price: float | None = None) -> Book:
        """Best prices, at present or around a price."""
        listing = self._listing(symbol)
        bid, ask, _ = self._market.touch(listing, price)
        return Book(_on_grid(bid, listing.price_digits), _on_grid(ask, listing.price_digits))

    def last(self, symbol: str) -> Decimal:
        """The present price."""
        listing = self._listing(symbol)
        return _on_grid(self._market.last(listing)[3], listing.price_digits)

    def mark(self, symbol: str) -> Decimal:
        """The present mark price; the last one where there is none."""
        listing = self._listing(symbol)
        found = _mark_at(listing, self._market.moment(listing))
        return self.last(symbol) if found is None else found

    def path(self, symbol: str, since: int, until: int) -> tuple[list[Move], int]:
        """The price's moves, and until when the symbol traded."""
        listing = self._listing(symbol)
        until = self._market.moment(listing, until)
        return price_path(listing.finest, since, until), until

    def fundings(self, symbol: str, since: int, until: int) -> list[tuple[int, Decimal, Decimal]]:
        """Settlements after ``since`` and by ``until``, at the mark price of their time."""
        listing = self._listing(symbol)
        times, rates = listing.funding
        low, high = (int(np.searchsorted(times, moment, side="right")) for moment in (since, until))
        settled = []
        for time, rate in zip(times[low:high].tolist(), rates[low:high].tolist(), strict=True):
            mark = _mark_at(listing, time)
            if mark is not None:
                settled.append((time, Decimal(str(rate)), mark))
        return settled

    def fault_share(self, order_id: int) -> Decimal:
        """What share of a limit order will fill."""
        return Decimal(str(self._faults.fill_share(f"{self._market.trading_mode} {order_id}")))

    def _listing(self, symbol: str) -> Listing:
        """Also of a symbol that is gone: its orders and positions are still there."""
        return self._market.store.listing(symbol, self._market.trading_mode)


def _mark_at(listing: Listing, moment: int) -> Decimal | None:
    marks = listing.candles_at("1h", moment, "mark")
    return Decimal(str(float(marks.values[-1, 3]))) if len(marks.times) else None


def _on_grid(price: float, digits: int) -> Decimal:
    return round(Decimal(repr(price)), digits)
