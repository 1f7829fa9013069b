"""Binance's kline streams over websocket: candles as they form, and once more when they have closed.

A client connects to ``/ws/NAME`` (futures: ``/market/ws/NAME``), and subscribes with
``{"method": "SUBSCRIBE", "params": ["btcusdt@kline_1h"], "id": 1}`` as on Binance.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from coordinator.sandbox.binance_errors import BinanceError
from coordinator.sandbox.market_data import Json, MarketData, kline
from coordinator.sandbox.store import INTERVALS

__all__ = ["add_streams"]

_POLL: Final = 0.02  # real seconds between two looks at the clock
_PAUSE: Final = 0.25  # real seconds between two updates of a candle that forms (Binance: 250 ms)
_MAX_MISSED: Final = 1000


def add_streams(app: FastAPI, spot: MarketData, futures: MarketData) -> None:
    """Add the stream paths to an exchange."""

    async def spot_stream(socket: WebSocket) -> None:
        await _Stream(spot, socket).run()

    async def futures_stream(socket: WebSocket) -> None:
        await _Stream(futures, socket).run()

    app.add_api_websocket_route("/ws/{name}", spot_stream)
    app.add_api_websocket_route("/stream/ws/{name}", spot_stream)
    app.add_api_websocket_route("/market/ws/{name}", futures_stream)
    app.add_api_websocket_route("/fws/{name}", futures_stream)


@dataclass
class _Subscription:
    """One pair and interval, and how far it has been told."""

    symbol: str
    interval: str
    told: int
    forming: float = field(default=0.0)


class _Stream:
    """One connection."""

    def __init__(self, market: MarketData, socket: WebSocket) -> None:
        self._market, self._socket = market, socket
        self._subscriptions: dict[str, _Subscription] = {}

    async def run(self) -> None:
        await self._socket.accept()
        with contextlib.suppress(WebSocketDisconnect, asyncio.CancelledError, RuntimeError):
            updates = asyncio.create_task(self._update())
            try:
                while True:
                    await self._socket.send_json(self._answer(await self._socket.receive_text()))
            finally:
                updates.cancel()

    def _answer(self, text: str) -> Json:
        """Reply to a request; Binance's codes for what cannot be read."""
        try:
            request = json.loads(text)
            method, number, params = request["method"], request.get("id"), list(request.get("params", []))
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"error": {"code": 3, "msg": "Invalid JSON: expected value"}}
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": sorted(self._subscriptions), "id": number}
        if method not in ("SUBSCRIBE", "UNSUBSCRIBE"):
            message = f"Invalid request: unknown variant `{str(method)[:40]}`"
            return {"error": {"code": 2, "msg": message}, "id": number}
        for stream in params:
            name = str(stream)
            if method == "UNSUBSCRIBE":
                self._subscriptions.pop(name, None)
            elif (subscription := self._subscription(name)) is not None:
                self._subscriptions[name] = subscription
        return {"result": None, "id": number}

    def _subscription(self, stream: str) -> _Subscription | None:
        """Binance ignores streams that it does not have."""
        symbol, _, kind = stream.partition("@")
        interval = kind.removeprefix("kline_")
        if interval == kind or interval not in INTERVALS:
            return None
        try:
            self._market.store.listing(symbol.upper(), self._market.trading_mode)
        except BinanceError:
            return None
        return _Subscription(symbol.upper(), interval, self._market.now())

    async def _update(self) -> None:
        clock = asyncio.get_running_loop()
        while True:
            for subscription in list(self._subscriptions.values()):
                for event in self._events(subscription, clock.time()):
                    await self._socket.send_json(event)
            await asyncio.sleep(_POLL)

    def _events(self, subscription: _Subscription, real: float) -> list[Json]:
        """Candles that have closed since the last look, and now and then the one that forms."""
        now = self._market.now()
        if now <= subscription.told:
            return []
        listing = self._market.store.listing(subscription.symbol, self._market.trading_mode)
        series = listing.candles_at(subscription.interval, self._market.moment(listing))
        step = series.step
        first = int(np.searchsorted(series.times + step, subscription.told, side="right"))
        positions = list(range(first, len(series.times)))[-_MAX_MISSED:]
        closed = [i for i in positions if series.times[i] + step <= now]
        forming = [i for i in positions if series.times[i] + step > now]
        if not closed and real - subscription.forming < _PAUSE:
            return []
        subscription.told, subscription.forming = now, real
        return [
            _event(
                subscription, now, kline(int(series.times[i]), series.values[i].tolist(), step), i in closed
            )
            for i in (*closed, *forming)
        ]


def _event(subscription: _Subscription, now: int, row: list[Any], closed: bool) -> Json:
    opened, opening, high, low, close, volume, closes, quote, trades, taker, taker_quote, _ = row
    candle = {
        "t": opened, "T": closes, "s": subscription.symbol, "i": subscription.interval, "f": -1, "L": -1,
        "o": opening, "c": close, "h": high, "l": low, "v": volume, "n": trades, "x": closed, "q": quote,
        "V": taker, "Q": taker_quote, "B": "0",
    }  # fmt: skip
    return {"e": "kline", "E": now, "s": subscription.symbol, "k": candle}
