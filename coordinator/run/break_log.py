"""Says once a pair where its candles break, and what that means."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import numpy as np

from coordinator.signals.breaks import find_breaks
from coordinator.signals.candles import Candles

__all__ = ["BreakLog", "describe_breaks"]

logger = logging.getLogger(__name__)


def describe_breaks(candles: Candles) -> dict[int, str]:
    """Each break in words, by the time of the last candle before it.

    Examples
    --------
    >>> price, volume = np.repeat([2.0, 20.0], [35, 5]), np.repeat([1.0, 0.0, 1.0], [5, 30, 5])
    >>> list(describe_breaks(Candles(3600 * np.arange(40), price, price, price, price, volume, 3600)).values())
    ['no trade from 1970-01-01 05:00 to 1970-01-02 11:00, then 10 times the price']
    """
    found = find_breaks(candles)
    if not found:
        return {}
    told = {}
    traded = np.flatnonzero((candles.volume > 0) | (candles.high > candles.low))
    for begin in found.begins.tolist():
        before = int(traded[np.searchsorted(traded, begin) - 1]) if len(traded) and traded[0] < begin else 0
        words = []
        if begin - before > 1 or candles.time[begin] - candles.time[before] > candles.seconds:
            words.append(f"no trade from {_at(candles, before + 1)} to {_at(candles, begin)}")
        else:
            words.append(f"at {_at(candles, begin)}")
        factor = candles.open[begin] / candles.close[before]
        if not 0.8 < factor < 1.25:
            words.append(f"then {factor:.4g} times the price")
        told[int(candles.time[before])] = ", ".join(words)
    if len(found.frozen) and found.frozen[-1]:
        before = int(traded[-1]) if len(traded) else 0
        told[int(candles.time[before])] = f"no trade since {_at(candles, before + 1)}"
    return told


class BreakLog:
    """One line for each pair and break."""

    def __init__(self) -> None:
        self._told: set[tuple[str, int]] = set()

    def tell(self, pair: str, candles: Candles) -> None:
        """Warn of breaks that were not told yet; a market that is frozen now is told again when it thaws."""
        for time, text in describe_breaks(candles).items():
            key = pair, -time if "since" in text else time
            if key not in self._told:
                self._told.add(key)
                logger.warning(
                    "%s: %s. No signal, feature or label is made across it; its history begins anew",
                    pair,
                    text,
                )


def _at(candles: Candles, row: int) -> str:
    time = candles.time[row] if row < len(candles) else candles.time[-1] + candles.seconds
    return f"{datetime.fromtimestamp(int(time), tz=UTC):%Y-%m-%d %H:%M}"
