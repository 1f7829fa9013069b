"""What a simulated pair is like: its price level, sector, volatility and volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from coordinator.sandbox.streams import stream

__all__ = ["DEFAULT_PAIRS", "PairProfile", "profile_of"]


@dataclass(frozen=True)
class PairProfile:
    """One base currency.

    Attributes
    ----------
    sector : str
        Pairs of one sector share a factor beside the market's.
    price : float
        Price at the start of the simulation, in quote currency.
    tick : float
        Price increment, quote currency.
    volatility : float
        Standard deviation of an average hour's log return.
    market_share, sector_share : float
        Fractions of the return variance from the market and the sector; the rest is the pair's own.
    turnover : float
        Median traded value per hour, quote currency.
    """

    sector: str
    price: float
    tick: float
    volatility: float
    market_share: float
    sector_share: float
    turnover: float


# Prices: about 2022-01-01. Volatility, shares and turnover: after hourly Binance spot candles 2019..2023.
_PROFILES: Final = {
    "BTC": PairProfile("money", 46_000.0, 0.01, 0.0073, 0.80, 0.10, 50e6),
    "ETH": PairProfile("platform", 3_700.0, 0.01, 0.0091, 0.82, 0.10, 23e6),
    "SOL": PairProfile("platform", 170.0, 0.01, 0.0142, 0.55, 0.14, 6.7e6),
    "ADA": PairProfile("platform", 1.31, 0.0001, 0.0112, 0.66, 0.14, 1.5e6),
    "XRP": PairProfile("payment", 0.83, 0.0001, 0.0112, 0.60, 0.14, 4.8e6),
    "LTC": PairProfile("money", 146.0, 0.01, 0.0106, 0.71, 0.12, 1.5e6),
    "LINK": PairProfile("defi", 19.6, 0.001, 0.0128, 0.63, 0.14, 1.7e6),
    "DOGE": PairProfile("meme", 0.17, 0.00001, 0.0140, 0.43, 0.20, 2.1e6),
}

DEFAULT_PAIRS: Final = tuple(f"{base}/USDT" for base in _PROFILES)


def profile_of(base: str) -> PairProfile:
    """Profile of a base currency: tabled for the default pairs, otherwise drawn from its name alone.

    Examples
    --------
    >>> profile_of("BTC").sector
    'money'
    >>> profile_of("PEPE") == profile_of("PEPE")
    True
    """
    if base in _PROFILES:
        return _PROFILES[base]
    rng = stream(0, "profile", base)
    price = 10.0 ** rng.uniform(-1.5, 2.5)
    # Four to five significant digits, as exchanges quote.
    tick = 10.0 ** (math.floor(math.log10(price)) - 4)
    return PairProfile(
        sector=str(rng.choice(["platform", "payment", "defi", "meme"])),
        price=round(price / tick) * tick,
        tick=tick,
        volatility=float(rng.uniform(0.011, 0.015)),
        market_share=float(rng.uniform(0.45, 0.65)),
        sector_share=0.14,
        turnover=10.0 ** float(rng.uniform(5.3, 6.5)),
    )
