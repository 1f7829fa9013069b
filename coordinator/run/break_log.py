"""Says once a pair where its candles break, and what that means."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import numpy as np

from coordinator.signals.breaks import find_breaks
from coordinator.signals.candles import Candles
from coordinator.types import Ints

__all__ = ["BreakLog", "describe_breaks"]

logger = logging.getLogger(__name__)


def describe_breaks(candles: Candles) -> dict[int | None, str]:
    """Each break in words, by the time of the candle after it; by None where the market is frozen now.

    Examples
    --------
    >>> price, volume = np.repeat([2.0, 20.0], [35, 5]), np.repeat([1.0, 0.0, 1.0], [5, 30, 5])
    >>> list(describe_breaks(Candles(3600 * np.arange(40), price, price, price, price, volume, 3600)).values())
    ['no trade from 1970-01-01 05:00 to 1970-01-02 11:00, then 10 times the price']
    """
    found = find_breaks(candles)
    if not found:
        return {}
    told: dict[int | None, str] = {}
    traded = np.flatnonzero((candles.volume > 0) | (candles.high > candles.low))
    for begin in found.begins.tolist():
        told[int(candles.time[begin])] = _break_at(
            candles, begin, int(np.searchsorted(traded, begin)), traded
        )
    if len(found.frozen) and found.frozen[-1]:
        told[None] = f"no trade since {_at(candles, traded[-1] + 1 if len(traded) else 0)}"
    return told


def _break_at(candles: Candles, begin: int, count: int, traded: Ints) -> str:
    """A break in words, with ``count`` traded candles before it."""
    if not count:
        return f"no trade before {_at(candles, begin)}"
    before = int(traded[count - 1])
    whole = begin - before == 1 and candles.time[begin] - candles.time[before] == candles.seconds
    words = f"at {_at(candles, begin)}"
    if not whole:
        words = f"no trade from {_at(candles, before + 1)} to {_at(candles, begin)}"
    factor = candles.open[begin] / candles.close[before]
    return words if 0.8 < factor < 1.25 else f"{words}, then {factor:.4g} times the price"


class BreakLog:
    """One line for each pair and break, however a bot's frames move on over it."""

    def __init__(self) -> None:
        self._told: set[tuple[str, int | None]] = set()

    def tell(self, pair: str, candles: Candles) -> None:
        """Warn of breaks that were not told yet; a market that freezes again is told again."""
        found = describe_breaks(candles)
        if None not in found:
            self._told.discard((pair, None))
        for time, text in found.items():
            if (pair, time) not in self._told:
                self._told.add((pair, time))
                logger.warning(
                    "%s: %s. No signal, feature or label is made across it; its history begins anew",
                    pair,
                    text,
                )


def _at(candles: Candles, row: int) -> str:
    time = candles.time[row] if row < len(candles) else candles.time[-1] + candles.seconds
    return f"{datetime.fromtimestamp(int(time), tz=UTC):%Y-%m-%d %H:%M}"
