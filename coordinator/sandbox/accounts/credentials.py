"""Keys of the sandbox exchange, and the check of a signed request as Binance makes it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ConfigDict

from coordinator.sandbox.binance_errors import BinanceError, integer

__all__ = ["Credentials", "Signed", "asked", "signed_request"]

_LENGTH: Final = 64
_AHEAD: Final = 1000  # milliseconds
_RECV_WINDOW: Final = 5000
_MAX_RECV_WINDOW: Final = 60_000

Signed = Callable[[Request], Awaitable[None]]


class Credentials(BaseModel):
    """A key and its secret; neither is shown by printing them.

    Examples
    --------
    >>> len(Credentials.generate().key)
    64
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    secret: str

    @classmethod
    def generate(cls) -> Credentials:
        """A new pair; a word in front keeps Freqtrade from reading a number in it."""
        return cls(key="sandboxk" + secrets.token_hex(28), secret="sandboxs" + secrets.token_hex(28))

    def __repr__(self) -> str:
        """Without the values."""
        return "Credentials(...)"

    __str__ = __repr__

    def check_key(self, key: str) -> None:
        """Refuse another key: -2014 where it cannot be one, -2015 where it is unknown."""
        if len(key) != _LENGTH:
            raise BinanceError(-2014, "API-key format invalid.", 401)
        if not hmac.compare_digest(key, self.key):
            raise BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def check_signature(self, payload: str, signature: str) -> None:
        """Refuse a wrong HMAC-SHA256: -1022."""
        own = hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(own.encode(), signature.encode()):
            raise BinanceError(-1022, "Signature for this request is not valid.")


def signed_request(credentials: Credentials, now: Callable[[], int]) -> Signed:
    """A check of a request's key, signature and time; :func:`asked` then gives its parameters.

    Parameters
    ----------
    now : callable
        The exchange's clock, milliseconds.
    """

    async def check(request: Request) -> None:
        credentials.check_key(request.headers.get("x-mbx-apikey", ""))
        query, body = request.url.query, (await request.body()).decode()
        whole = query + body  # as Binance joins them
        payload, _, signature = whole.rpartition("&signature=")
        credentials.check_signature(payload, signature)
        parameters = dict(parse_qsl(query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True))
        time = integer(parameters, "timestamp", -1, 0, 10**15)
        window = integer(parameters, "recvWindow", _RECV_WINDOW, 1, _MAX_RECV_WINDOW)
        present = now()
        if time > present + _AHEAD:
            message = "Timestamp for this request was 1000ms ahead of the server's time."
            raise BinanceError(-1021, message)
        if present - time > window:
            raise BinanceError(-1021, "Timestamp for this request is outside of the recvWindow.")
        request.state.asked = parameters

    return check


def asked(request: Request) -> dict[str, str]:
    """The parameters of a request that was found to be signed, of its address and its body."""
    parameters: dict[str, str] = request.state.asked
    return parameters
