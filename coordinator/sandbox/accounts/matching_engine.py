"""Takes an account's orders, and works through what the market did to them since the last look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from coordinator.sandbox.accounts.account import Account, Pair
from coordinator.sandbox.accounts.filters import check_filters, check_stop
from coordinator.sandbox.accounts.futures_account import FuturesAccount
from coordinator.sandbox.accounts.matching import Book, Event, next_event, round_down
from coordinator.sandbox.accounts.orders import Order
from coordinator.sandbox.accounts.price_path import Move
from coordinator.sandbox.binance_errors import BinanceError

__all__ = ["MatchingEngine", "Venue"]


class Venue(Protocol):
    """The market as an engine needs it; times in milliseconds."""

    def now(self) -> int:
        """The exchange's clock."""

    def pair(self, symbol: str) -> Pair:
        """A listed symbol; BinanceError -1121 where it is not."""

    def is_open(self, symbol: str) -> bool:
        """Whether the symbol trades at present."""

    def delisted(self, symbol: str) -> int | None:
        """Since when a symbol is gone from the exchange by now; None while it is there."""

    def book(self, symbol: str, price: float | None = None) -> Book:
        """Best prices at present, or around a price."""

    def last(self, symbol: str) -> Decimal:
        """The present price."""

    def path(self, symbol: str, since: int, until: int) -> tuple[list[Move], int]:
        """The price's moves, and until when the symbol traded within the span."""

    def fundings(self, symbol: str, since: int, until: int) -> list[tuple[int, Decimal, Decimal]]:
        """Time, rate and mark price of the settlements after ``since`` and by ``until``."""

    def fault_share(self, order_id: int) -> Decimal:
        """What share of a limit order will fill; 1 unless a fault is drawn."""


class MatchingEngine:
    """One account on one market. Every method first catches up with the market, so an order fills also
    while nobody asks; how often somebody asks changes nothing.

    Parameters
    ----------
    account : Account
        Changed in place.
    venue : Venue
    changed : callable
        Called after each change, e.g. to keep the account in a file.
    """

    def __init__(self, account: Account, venue: Venue, changed: Callable[[], None]) -> None:
        self.account, self.venue, self._changed = account, venue, changed
        self._futures = isinstance(account, FuturesAccount)
        self.lock = threading.RLock()

    # --- what time did ----------------------------------------------------------------------------------------

    def catch_up(self) -> int:
        """Work through all events until now, in time order; returns now."""
        with self.lock:
            now, changed = self.venue.now(), False
            while (event := self._first_event(now)) is not None:
                self._apply(event)
                changed = True
            changed |= self._settle_funding(self.account.seen, now)
            changed |= self._end_delisted()
            self.account.seen = max(self.account.seen, now)
            for order in self.account.open_orders():
                order.since = max(order.since, now)
            if changed:
                self._changed()
            return now

    def _first_event(self, now: int) -> Event | None:
        events = []
        for order in self.account.open_orders():
            moves, until = self.venue.path(order.symbol, order.since, now)
            event = next_event(order, moves, until)
            if event is not None:
                events.append(event)
        return min(events, default=None)

    def _apply(self, event: Event) -> None:
        order = self.account.orders[event.order]
        self._settle_funding(self.account.seen, event.time)
        self.account.seen = max(self.account.seen, event.time)
        order.since = event.time
        if event.kind == "fill":
            self._fill(order, event.time, order.price, maker=True)
            return
        order.triggered, order.updated = True, event.time
        book = self.venue.book(order.symbol, event.price)
        if self._futures:
            self._place_triggered(order, event.time, book)
        elif book.crosses(order):
            self._fill(order, event.time, book.taken(order), maker=False)

    def _place_triggered(self, parent: Order, time: int, book: Book) -> None:
        """A futures conditional order places an order of its own; refused where there is nothing to reduce."""
        child = parent.model_copy(
            update={
                "id": self.account.next_id(),
                "client_id": f"{parent.client_id}-placed",
                "type": "MARKET" if parent.type == "STOP_MARKET" else "LIMIT",
                "stop_price": Decimal(0),
                "time": time,
                "updated": time,
                "since": time,
                "triggered": False,
                "parent": parent.id,
            }
        )
        try:
            self.account.check_funds(child, book.taken(child))
        except BinanceError:
            parent.status = "EXPIRED"
            return
        self.account.orders[child.id] = child
        parent.status, parent.placed_order = "TRIGGERED", child.id
        if child.type == "MARKET" or book.crosses(child):
            self._fill(child, time, book.taken(child), maker=False)

    def _fill(self, order: Order, time: int, price: Decimal, *, maker: bool) -> None:
        """Fill what the market gives. A reduce-only order is cut to what there is to reduce, and expires with it."""
        if order.reduce_only:
            left = order.filled + self.account.reducible(order)
            order.amount, order.fillable = min(order.amount, left), min(order.fillable, left)
        if order.due:
            self.account.fill(order, self.account.pairs[order.symbol], time, price, order.due, maker)
        elif not order.remaining:
            order.status, order.updated = "EXPIRED", time

    def _settle_funding(self, since: int, until: int) -> bool:
        if not isinstance(self.account, FuturesAccount):
            return False
        settled = False
        for symbol, held in self.account.positions.items():
            if held.amount:
                for time, rate, mark in self.venue.fundings(symbol, since, until):
                    self.account.settle_funding(symbol, time, rate, mark)
                    settled = True
        return settled

    def _end_delisted(self) -> bool:
        """Open orders of a symbol that is gone expire."""
        ended = False
        for order in self.account.open_orders():
            if (time := self.venue.delisted(order.symbol)) is not None:
                order.status, order.updated, ended = "EXPIRED", time, True
        return ended

    # --- what a client asks -----------------------------------------------------------------------------------

    def place(self, order: Order) -> Order:
        """Accept an order: it fills at the book, or rests.

        Parameters
        ----------
        order : Order
            With any id, times and fillable amount: they are set here.

        Raises
        ------
        BinanceError
            Where Binance would refuse it.
        """
        with self.lock:
            now = self.catch_up()
            pair = self.account.pairs[order.symbol] = self.venue.pair(order.symbol)
            if not self.venue.is_open(order.symbol):
                raise BinanceError(-1013, "Market is closed.")
            book = self.venue.book(order.symbol)
            check_filters(order, pair, book, futures=self._futures)
            check_stop(order, self.venue.last(order.symbol), futures=self._futures)
            takes = order.type == "MARKET" or (not order.is_conditional and book.crosses(order))
            if takes and (order.type == "LIMIT_MAKER" or order.time_in_force == "GTX"):
                raise BinanceError(-2010, "Order would immediately match and take.")
            if not (self._futures and order.is_conditional):
                self.account.check_funds(order, order.price or book.taken(order))
            order.id, order.time = self.account.next_id(), now
            order.updated = order.since = now
            resting = order.type in ("LIMIT", "LIMIT_MAKER")
            share = self.venue.fault_share(order.id) if resting else Decimal(1)
            order.fillable = round_down(order.amount * share, pair.amount_digits)
            self.account.orders[order.id] = order
            if takes and order.due:
                self._fill(order, now, book.taken(order), maker=False)
            if order.is_open and (order.type == "MARKET" or order.time_in_force in ("IOC", "FOK")):
                order.status = "EXPIRED"
            self._changed()
            return order

    def cancel(self, symbol: str, order_id: int, *, conditional: bool = False) -> Order:
        """Cancel an open order; BinanceError -2011 where there is none."""
        with self.lock:
            now = self.catch_up()
            order = self._known(symbol, order_id, conditional=conditional)
            if order is None or not order.is_open:
                raise BinanceError(-2011, "Unknown order sent.")
            order.status, order.updated = "CANCELED", now
            self._changed()
            return order

    def order(self, symbol: str, order_id: int, *, conditional: bool = False) -> Order:
        """An order as it stands; BinanceError -2013 where there is none."""
        with self.lock:
            self.catch_up()
            order = self._known(symbol, order_id, conditional=conditional)
            if order is None:
                raise BinanceError(-2013, "Order does not exist.")
            return order

    def orders(self, symbol: str | None, *, conditional: bool | None = None) -> list[Order]:
        """All orders of a symbol, or of every one; None for those of either kind."""
        with self.lock:
            self.catch_up()
            return [
                order
                for order in self.account.orders.values()
                if symbol in (None, order.symbol) and conditional in (None, order.is_conditional)
            ]

    def _known(self, symbol: str, order_id: int, *, conditional: bool) -> Order | None:
        """Futures conditional orders are asked for by another path, with numbers of their own kind."""
        order = self.account.orders.get(order_id)
        if order is None or (symbol and order.symbol != symbol):
            return None
        return order if not self._futures or order.is_conditional == conditional else None
