"""The least an order may be worth, by quote currency, as Binance asks for it.

Binance's own figures lie in ``GET /api/v3/exchangeInfo``, filter NOTIONAL of each pair, and change without notice;
these are what most pairs of a quote had in 2022 to 2024. A bot on the real exchange asks it, and reads nothing here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

__all__ = ["minimum_notional"]

_MINIMA: Final = {
    "BTC": Decimal("0.0001"),
    "ETH": Decimal("0.001"),
    "BNB": Decimal("0.01"),
    "TRY": Decimal(10),
    "BRL": Decimal(10),
    "JPY": Decimal(100),
}
_OTHERS: Final = Decimal(5)  # USDT, USDC, FDUSD, EUR and what is worth about as much


def minimum_notional(quote: str) -> Decimal:
    """In the quote currency.

    Examples
    --------
    >>> minimum_notional("USDT"), minimum_notional("BTC")
    (Decimal('5'), Decimal('0.0001'))
    """
    return _MINIMA.get(quote, _OTHERS)
