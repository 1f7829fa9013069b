"""Errors in Binance's shape: HTTP 400 with {"code": ..., "msg": ...}; and the parsing of query parameters."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BinanceError", "integer", "required"]


class BinanceError(Exception):
    """An answer other than success.

    Parameters
    ----------
    code : int
        Binance's code, e.g. -1121.
    message : str
        Binance's text for it.
    status : int
        HTTP status.
    """

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        self.code, self.message, self.status = code, message, status
        super().__init__(f"{code}: {message}")


def required(query: Mapping[str, str], name: str) -> str:
    """A parameter that must be there and not empty; otherwise error -1102."""
    value = query.get(name, "")
    if not value:
        raise BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    return value


def integer(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """A whole number within low..high; error -1100 if it is none, -1130 if it lies outside."""
    text = query.get(name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is [0-9].")
    value = int(text)
    if not low <= value <= high:
        raise BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return value
