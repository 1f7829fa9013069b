"""Numbers as text: the same everywhere, with a dash for what is undefined."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["UNDEFINED", "finite_json", "money", "number", "percent"]

UNDEFINED = "–"
DIGITS = {"BTC": 8, "ETH": 5, "BNB": 5}
"""Decimals of currencies that are worth much; others have two."""


def number(value: float, digits: int = 2) -> str:
    """A plain number.

    Examples
    --------
    >>> number(1.2345), number(float("nan")), number(float("inf")), number(-float("inf")), number(-0.001)
    ('1.23', '–', '∞', '-∞', '0.00')
    """
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return _clean(f"{value:,.{digits}f}")


def percent(value: float, sign: bool = False) -> str:
    """A ratio as percent.

    Examples
    --------
    >>> percent(0.12345), percent(0.12345, sign=True), percent(float("nan"))
    ('12.35%', '+12.35%', '–')
    """
    if not math.isfinite(value):
        return number(value)
    return _clean(f"{value:{'+' if sign else ''}.2%}")


def money(value: float, sign: bool = False, currency: str = "") -> str:
    """An amount of the stake currency.

    Examples
    --------
    >>> money(1234.5), money(1234.5, sign=True), money(-3.0), money(0.0012, currency="BTC")
    ('1,234.50', '+1,234.50', '-3.00', '0.00120000')
    """
    if not math.isfinite(value):
        return number(value)
    return _clean(f"{value:{'+' if sign else ''},.{DIGITS.get(currency, 2)}f}")


def finite_json(value: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for them, in mappings and sequences too.

    Examples
    --------
    >>> finite_json({"a": [1.5, float("nan")], "b": ("x", float("inf"))})
    {'a': [1.5, None], 'b': ['x', None]}
    """
    if isinstance(value, Mapping):
        return {str(key): finite_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _clean(text: str) -> str:
    """No sign on a number that rounds to nothing."""
    return text.lstrip("+-") if not any(digit in text for digit in "123456789") else text
