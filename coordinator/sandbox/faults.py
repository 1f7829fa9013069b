"""What a sandbox exchange does wrong, at stated rates: an ASGI layer around its application.

Faults are drawn by a generator of their own, so a seed gives the same faults for the same requests in the same order.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordinator.candles.moments import parse_moment
from coordinator.errors import CoordinatorError
from coordinator.sandbox.streams import stream

__all__ = ["FAULTS", "NO_FAULTS", "ORDER_FAULTS", "SYMBOL_FAULTS", "FaultLayer", "Faults", "parse_faults"]

_HELD_SECONDS: Final = 60.0
_LIMITS: Final = {
    "rate_limit": (-1003, "Too much request weight used; current limit is 6000 per 1 MINUTE."),
    "order_limit": (-1015, "Too many new orders; current limit is 100 orders per 10 SECOND."),
}
_KLINES: Final = ("/klines", "/markPriceKlines")
_ORDERS: Final = ("/order", "/algoOrder")
_CHANGING: Final = ("POST", "DELETE")


class Faults(BaseModel):
    """Rates of faults, 0..1 of the requests, and how far the clock is off.

    Attributes
    ----------
    rate_limit : HTTP 429 with Retry-After
    order_limit : the same for new orders and cancellations alone
    server_error : HTTP 503
    timeout : the request is held until the client gives up
    disconnect : the connection ends in the middle of the answer
    malformed : half of the answer's JSON
    stale : candles without the newest closed one and the running one
    missing : candles without one from the middle
    partial_fill, no_fill : share of a live bot's limit orders that fill by half, or never
    halted, delisted : since when a pair does not trade (status BREAK), or is gone from the exchange
    skew_seconds : the exchange's clock is ahead by so much (less than 0: behind)
    seed : of the generator
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_limit: float = Field(default=0.0, ge=0, le=1)
    order_limit: float = Field(default=0.0, ge=0, le=1)
    server_error: float = Field(default=0.0, ge=0, le=1)
    timeout: float = Field(default=0.0, ge=0, le=1)
    disconnect: float = Field(default=0.0, ge=0, le=1)
    malformed: float = Field(default=0.0, ge=0, le=1)
    stale: float = Field(default=0.0, ge=0, le=1)
    missing: float = Field(default=0.0, ge=0, le=1)
    partial_fill: float = Field(default=0.0, ge=0, le=1)
    no_fill: float = Field(default=0.0, ge=0, le=1)
    halted: dict[str, AwareDatetime] = {}
    delisted: dict[str, AwareDatetime] = {}
    skew_seconds: float = 0.0
    seed: int = 0

    def fill_share(self, order: str) -> float:
        """What share of a limit order fills: 1, .5 or 0. Its name and the seed decide: a restart changes nothing."""
        if not self.partial_fill and not self.no_fill:
            return 1.0
        drawn = float(stream(self.seed, "order", order).random())
        if drawn < self.no_fill:
            return 0.0
        return 0.5 if drawn < self.no_fill + self.partial_fill else 1.0


ORDER_FAULTS: Final = ("partial_fill", "no_fill")
SYMBOL_FAULTS: Final = ("halted", "delisted")
_OTHERS: Final = (*ORDER_FAULTS, *SYMBOL_FAULTS, "skew_seconds", "seed")
FAULTS: Final = tuple(name for name in Faults.model_fields if name not in _OTHERS)
"""What can happen to a request."""
NO_FAULTS: Final = Faults()


def parse_faults(options: Sequence[str], owner: str) -> Faults:
    """From options such as ``server_error=0.05``, ``skew_seconds=2`` and ``halted=ETH/USDT@2023-06-01T06:00``.

    Raises
    ------
    CoordinatorError
        If one is not of that form, unknown, or out of its range.

    Examples
    --------
    >>> parse_faults(["timeout=0.01"], "coordinator sandbox serve").timeout
    0.01
    """
    values: dict[str, Any] = {name: {} for name in SYMBOL_FAULTS}
    for option in options:
        name, _, text = option.partition("=")
        if name in SYMBOL_FAULTS:
            pair, _, moment = text.partition("@")
            values[name][pair] = parse_moment(f"fault {name}", owner, moment)
            continue
        try:
            values[name] = int(text) if name == "seed" else float(text)
        except ValueError:
            values[name] = float("nan")
        inside = name not in FAULTS + ORDER_FAULTS or 0.0 <= values[name] <= 1.0
        if name not in Faults.model_fields or values[name] != values[name] or not inside:
            rule = (
                f"be NAME=RATE with a rate of 0..1 and a name of {', '.join(FAULTS + ORDER_FAULTS)}, skew_seconds, "
                "seed; or halted=PAIR@MOMENT, delisted=PAIR@MOMENT"
            )
            raise CoordinatorError("fault", owner, rule, option)
    return Faults.model_validate(values)


class FaultLayer:
    """Wraps an application and lets part of its requests go wrong.

    Parameters
    ----------
    app : ASGI application
    faults : Faults

    Attributes
    ----------
    counts : how often each fault happened, and ``requests``
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app, self._faults = app, faults
        self._random = np.random.default_rng(faults.seed)
        self.counts: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, rightly or not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.counts["requests"] += 1
        fault = self._draw(scope["path"], scope["method"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        self.counts[fault] += 1
        if fault == "timeout":
            await _hold(receive, _HELD_SECONDS)
            return
        if fault == "disconnect":
            # More is announced than comes: the server closes the connection.
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"999")]}
            )
            await send({"type": "http.response.body", "body": b"[", "more_body": True})
            return
        if fault in _LIMITS:
            code, message = _LIMITS[fault]
            body = json.dumps({"code": code, "msg": message}).encode()
            await _answer(send, 429, body, [(b"retry-after", b"1")])
            return
        if fault == "server_error":
            await _answer(send, 503, b"<html><body>503 Service Temporarily Unavailable</body></html>")
            return
        status, body_bytes = await self._ask(scope, receive)
        await _answer(send, status, _spoil(fault, body_bytes, status))

    def _draw(self, path: str, method: str) -> str | None:
        """Which fault a request meets: one draw each, so that the rates add up."""
        draw, reached = float(self._random.random()), 0.0
        candles = path.endswith(_KLINES)
        ordering = method in _CHANGING and path.endswith(_ORDERS)
        for name in FAULTS:
            if (name in ("stale", "missing") and not candles) or (name == "order_limit" and not ordering):
                continue
            reached += getattr(self._faults, name)
            if draw < reached:
                return name
        return None

    async def _ask(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        """Status and body of the application's answer."""
        status, parts = 200, []

        async def collect(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        await self._app(scope, receive, collect)
        return status, b"".join(parts)


def _spoil(fault: str, body: bytes, status: int) -> bytes:
    if fault == "malformed":
        return body[: max(1, len(body) // 2)]
    if status != 200:
        return body
    candles: list[Any] = json.loads(body)
    if fault == "stale":
        return json.dumps(candles[:-2]).encode()
    del candles[len(candles) // 2 : len(candles) // 2 + 1]
    return json.dumps(candles).encode()


async def _answer(send: Send, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    kind = (b"content-type", b"text/html" if body[:1] == b"<" else b"application/json")
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [kind, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def _hold(receive: Receive, seconds: float) -> None:
    """Wait until the client leaves, or for so long."""

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    await asyncio.wait([asyncio.ensure_future(left())], timeout=seconds)
