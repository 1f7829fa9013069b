"""Which sector a pair belongs to."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["base_currency", "sector_of"]


def base_currency(pair: str) -> str:
    """The base coin of Freqtrade's pair name.

    >>> [base_currency(pair) for pair in ("BTC/USDT", "ETH/USDT:USDT")]
    ['BTC', 'ETH']
    """
    return pair.split("/")[0]


def sector_of(pair: str, sectors: Mapping[str, tuple[str, ...]]) -> str | None:
    """The sector that has the pair's coin, or None.

    >>> sector_of("DOGE/USDT", {"memes": ("DOGE", "SHIB")})
    'memes'
    """
    coin = base_currency(pair)
    return next((name for name, coins in sectors.items() if coin in coins), None)
