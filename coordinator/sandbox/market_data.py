"""Answers that spot and futures share: klines, order book, tickers; everything as of a moment."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from coordinator.candles.files import Kind, TradingMode
from coordinator.sandbox.binance_errors import BinanceError, integer, required
from coordinator.sandbox.faults import NO_FAULTS, Faults
from coordinator.sandbox.store import INTERVALS, CandleStore, Listing

__all__ = ["Json", "MarketData", "decimal", "kline"]

Json = dict[str, Any]

_DAY: Final = 86_400_000
_FUTURES_DEPTHS: Final = (5, 10, 20, 50, 100, 500, 1000)
_HALF_SPREAD: Final = 1e-4


def decimal(value: float | Decimal, digits: int = 8) -> str:
    """A number as Binance writes it: a string with fixed decimals."""
    return f"{value:.{digits}f}"


class MarketData:
    """Public market data of one trading mode.

    Parameters
    ----------
    store : CandleStore
        Where the candles are.
    trading_mode : str
        ``"spot"`` or ``"futures"``.
    now : callable
        The exchange's clock: milliseconds since the epoch. Nothing later is ever shown.
    """

    def __init__(
        self,
        store: CandleStore,
        trading_mode: TradingMode,
        now: Callable[[], int],
        faults: Faults = NO_FAULTS,
    ) -> None:
        self.store, self.trading_mode, self.now = store, trading_mode, now
        self._halted = {pair: round(moment.timestamp() * 1000) for pair, moment in faults.halted.items()}
        self._delisted = {pair: round(moment.timestamp() * 1000) for pair, moment in faults.delisted.items()}

    def listed(self) -> list[Listing]:
        """Pairs whose first candle has opened and that are not gone."""
        return [entry for entry in self.store.listings(self.trading_mode) if self._is_listed(entry)]

    def one(self, query: Mapping[str, str]) -> Listing:
        """The pair a request names; BinanceError if it names none or one that is not listed."""
        listing = self.store.listing(required(query, "symbol"), self.trading_mode)
        if not self._is_listed(listing):
            raise BinanceError(-1121, "Invalid symbol.")
        return listing

    def _is_listed(self, listing: Listing) -> bool:
        return bool(listing.finest.times[0] < self.now()) and self.delisted(listing) is None

    def status(self, listing: Listing) -> str:
        """TRADING, or BREAK while the pair is halted."""
        now = self.now()
        return "TRADING" if self.moment(listing, now) == now else "BREAK"

    def delisted(self, listing: Listing) -> int | None:
        """Since when a pair is gone; None while it is there."""
        time = self._delisted.get(listing.pair)
        return time if time is not None and time <= self.now() else None

    def delist_schedule(self) -> list[Json]:
        """The delistings that are announced: those to come."""
        coming = {pair: time for pair, time in self._delisted.items() if time > self.now()}
        return [
            {"delistTime": time, "symbols": [pair.split(":")[0].replace("/", "")]}
            for pair, time in coming.items()
        ]

    def moment(self, listing: Listing, now: int | None = None) -> int:
        """Until when a pair has traded: now, or when it was halted or delisted."""
        now = self.now() if now is None else now
        return min(now, self._halted.get(listing.pair, now), self._delisted.get(listing.pair, now))

    def klines(self, query: Mapping[str, str], max_limit: int, kind: Kind = "futures") -> list[list[Any]]:
        """Candles: from startTime on, or the latest up to endTime, at most ``limit``."""
        listing = self.one(query)
        interval = required(query, "interval")
        if interval not in INTERVALS:
            raise BinanceError(-1120, "Invalid interval.")
        limit = integer(query, "limit", 500, 1, max_limit)
        bounds = [integer(query, name, -1, 0, 10**15) for name in ("startTime", "endTime")]
        start, end = (None if bound < 0 else bound for bound in bounds)
        series = listing.candles_at(interval, self.moment(listing), kind)
        part = series.between(start, end)
        if start is None:
            part = slice(max(part.start, part.stop - limit), part.stop)
        else:
            part = slice(part.start, min(part.stop, part.start + limit))
        rows = zip(series.times[part].tolist(), series.values[part].tolist(), strict=True)
        return [kline(time, values, series.step) for time, values in rows]

    def depth(self, query: Mapping[str, str]) -> Json:
        """A book made up around the last price: a spread of 0.02 % or two ticks, amounts growing outward."""
        listing = self.one(query)
        limit = integer(query, "limit", 100, 1, 5000)
        if self.trading_mode == "futures" and limit not in _FUTURES_DEPTHS:
            raise BinanceError(-4021, f"{limit} is not valid depth limit.")
        bid, ask, tick = self.touch(listing)
        lot = 10.0**-listing.amount_digits
        amount = max(lot, self.last(listing)[4] / 200.0)

        def side(best: float, direction: int) -> list[list[str]]:
            prices = (best + direction * level * tick for level in range(limit))
            return [
                [decimal(price, listing.price_digits), decimal(amount * (1 + level), listing.amount_digits)]
                for level, price in enumerate(prices)
                if price > tick / 2
            ]

        now = self.now()
        return {"lastUpdateId": now, "E": now, "T": now, "bids": side(bid, -1), "asks": side(ask, 1)}

    def ticker_24hr(self, query: Mapping[str, str]) -> Json | list[Json]:
        """Statistics of the 24 hours before now, for one pair, the pairs of ``symbols``, or all."""
        return self._each(query, self._statistics)

    def ticker_price(self, query: Mapping[str, str]) -> Json | list[Json]:
        """Last prices."""

        def price(listing: Listing) -> Json:
            return {"symbol": listing.symbol, "price": decimal(self.last(listing)[3]), **self._stamp()}

        return self._each(query, price)

    def book_ticker(self, query: Mapping[str, str]) -> Json | list[Json]:
        """Best bid and ask."""

        def best(listing: Listing) -> Json:
            return {"symbol": listing.symbol, **self._quotes(listing), **self._stamp()}

        return self._each(query, best)

    def average_price(self, query: Mapping[str, str]) -> Json:
        """Binance's five-minute average; here the last price."""
        return {"mins": 5, "price": decimal(self.last(self.one(query))[3]), "closeTime": self.now()}

    def _each(self, query: Mapping[str, str], answer: Callable[[Listing], Json]) -> Json | list[Json]:
        if "symbol" in query:
            return answer(self.one(query))
        if "symbols" in query:
            try:
                names = json.loads(query["symbols"])
            except ValueError:
                names = None
            if not isinstance(names, list) or not names:
                raise BinanceError(-1100, "Illegal characters found in parameter 'symbols'.")
            return [answer(self.one({"symbol": str(name)})) for name in names]
        return [answer(listing) for listing in self.listed()]

    def last(self, listing: Listing) -> list[float]:
        """Open, high, low, close, volume of the newest candle, the running one included."""
        return [float(value) for value in listing.finest.at(self.moment(listing)).values[-1]]

    def touch(self, listing: Listing, price: float | None = None) -> tuple[float, float, float]:
        """Best bid, best ask and the tick, at present or around a price."""
        price, tick = self.last(listing)[3] if price is None else price, 10.0**-listing.price_digits
        half = max(1, math.floor(price * _HALF_SPREAD / tick))
        middle = round(price / tick)
        return max(1, middle - half) * tick, (middle + half) * tick, tick

    def _stamp(self) -> Json:
        """Only futures answers carry a time; by it, and by spot tickers' bidQty, ccxt tells the two apart."""
        return {"time": self.now()} if self.trading_mode == "futures" else {}

    def _quotes(self, listing: Listing) -> Json:
        bid, ask, _ = self.touch(listing)
        amount = decimal(max(10.0**-listing.amount_digits, self.last(listing)[4] / 200.0))
        return {"bidPrice": decimal(bid), "bidQty": amount, "askPrice": decimal(ask), "askQty": amount}

    def _statistics(self, listing: Listing) -> Json:
        now = self.now()
        series = listing.finest.at(self.moment(listing))
        window = series.between(now - _DAY, now)
        values = series.values[window]
        last = float(series.values[-1, 3])
        if len(values) == 0:
            values = series.values[-1:].copy()
            values[:, 4] = 0.0
        opening, volume = float(values[0, 0]), float(values[:, 4].sum())
        quote_volume = float((values[:, 4] * values[:, 3]).sum())
        return {
            "symbol": listing.symbol,
            "priceChange": decimal(last - opening),
            "priceChangePercent": decimal(100.0 * (last / opening - 1.0), 3),
            "weightedAvgPrice": decimal(quote_volume / volume if volume else last),
            "lastPrice": decimal(last),
            "openPrice": decimal(opening),
            "highPrice": decimal(float(values[:, 1].max())),
            "lowPrice": decimal(float(values[:, 2].min())),
            "volume": decimal(volume),
            "quoteVolume": decimal(quote_volume),
            "openTime": now - _DAY,
            "closeTime": now,
            "count": len(values),
            **(self._quotes(listing) if self.trading_mode == "spot" else {}),
        }


def kline(time: int, values: list[float], step: int) -> list[Any]:
    """A candle as Binance's klines have it: open time, prices, volume, close time, quote volume and what is made up."""
    opening, high, low, close, volume = values
    quote = volume * (opening + close) / 2.0
    prices = [decimal(price) for price in (opening, high, low, close)]
    taker = [decimal(volume / 2.0), decimal(quote / 2.0)]
    return [time, *prices, decimal(volume), time + step - 1, decimal(quote), 1, *taker, "0"]
