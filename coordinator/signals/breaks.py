"""Where a pair's history breaks: a hole, a frozen market, a redenomination; what comes after begins anew.

Freqtrade fills missing candles with the last close and no volume, so that a hole of three weeks looks like a quiet
market, and the price after it like the breakout of the year. Nothing may be made of such candles, nor across them: the
candles after a break are read like those of a pair that was listed then.

Every answer about a candle is known at its close.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np

from coordinator.signals.candles import Candles
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints

__all__ = [
    "Breaks",
    "by_history",
    "crosses_break",
    "find_breaks",
    "floats_by_history",
    "follows_break",
    "price_jumps",
]

T = TypeVar("T")
HOUR: Final = 3600
STILL: Final = SECONDS_PER_DAY
"""As long without a trade, and the market is frozen."""
JUMP: Final = 2.0
"""Factor between a close and the next open beyond which they are not prices of the same thing."""


@dataclass(frozen=True)
class Breaks:
    """The breaks in some candles.

    Attributes
    ----------
    frozen : bool, shape (n,), without a trade for a day by the candle's close
    begins : int, the candles after a break, with which a history begins; the first candle is none of them
    """

    frozen: Bools
    begins: Ints

    def __bool__(self) -> bool:
        return bool(len(self.begins)) or bool(self.frozen.any())

    @property
    def parts(self) -> list[slice]:
        """The histories, oldest first; together all candles."""
        return [slice(*bounds) for bounds in pairwise([0, *self.begins.tolist(), len(self.frozen)])]

    @property
    def marks(self) -> Bools:
        """Candles that nothing may reach across: the frozen ones, and those after a break."""
        marks = self.frozen.copy()
        marks[self.begins] = True
        return marks


def find_breaks(candles: Candles) -> Breaks:
    """The breaks in a pair's candles of one timeframe, gaps filled as Freqtrade does or not.

    Of candles longer than an hour the first one after a frozen market counts as frozen, too: it may hold both prices. A
    jump within such a candle, without a pause, is seen in the hourly candles alone.

    Examples
    --------
    >>> price, volume = np.repeat([2.0, 20.0], [35, 5]), np.repeat([1.0, 0.0, 1.0], [5, 30, 5])
    >>> found = find_breaks(Candles(3600 * np.arange(40), price, price, price, price, volume, 3600))
    >>> np.flatnonzero(found.frozen).tolist(), found.begins.tolist()
    ([28, 29, 30, 31, 32, 33, 34], [35])
    """
    n, rows = len(candles), np.arange(len(candles))
    still = (candles.volume == 0) & (candles.high == candles.low)
    traded = np.maximum.accumulate(np.where(still, -1, rows)) if n else rows
    frozen = still & ((rows - traded) * candles.seconds >= STILL)
    if candles.seconds > HOUR and n:
        frozen[1:] |= frozen[:-1] & ~still[1:]
        still = still | frozen
    after = price_jumps(candles.open, candles.close)
    after[1:] |= (frozen[:-1] & ~still[1:]) | (np.diff(candles.time) > STILL + candles.seconds)
    return Breaks(frozen, np.flatnonzero(after))


def price_jumps(opened: Floats, close: Floats) -> Bools:
    """Candles whose open is no price of the same thing as the close before, shape (n,); never the first.

    Examples
    --------
    >>> price_jumps(np.array([1.0, 1.5, 15.0]), np.array([1.0, 1.6, 15.0])).tolist()
    [False, False, True]
    """
    jumps = np.zeros(len(close), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        jumps[1:] = np.abs(np.log(opened[1:] / close[:-1])) > np.log(JUMP)
    return jumps


def crosses_break(candles: Candles, ahead: int) -> Bools:
    """Whether a break lies within the next ``ahead`` candles of each, or it is frozen itself; shape (n,)."""
    found, n = find_breaks(candles), len(candles)
    if not found:
        return np.zeros(n, dtype=bool)
    count = np.concatenate(([0], np.cumsum(found.marks)))
    end = np.minimum(np.arange(n) + 1 + ahead, n)
    return found.frozen | (count[end] > count[np.arange(n) + 1])


def follows_break(candles: Candles, behind: int) -> Bools:
    """Whether a break lies within the last ``behind`` candles of each, or it is frozen itself; shape (n,)."""
    found, n = find_breaks(candles), len(candles)
    if not found:
        return np.zeros(n, dtype=bool)
    count = np.concatenate(([0], np.cumsum(found.marks)))
    return count[np.arange(n) + 1] > count[np.maximum(np.arange(n) + 1 - behind, 0)]


def by_history(
    candles: Candles, compute: Callable[[Candles, int | None], T], found: Breaks | None = None
) -> T:
    """What ``compute`` makes of each history, joined; of all candles at once where nothing breaks.

    Parameters
    ----------
    compute : gets the candles of a history and the time at which it began, None for the first; gives an array whose
        last axis are the candles, or a dataclass or mapping of such
    found : the breaks, where they are known already
    """
    found = find_breaks(candles) if found is None else found
    if not len(found.begins):
        return compute(candles, None)
    parts = []
    for part in found.parts:
        own = candles.rows(part)
        parts.append(compute(own, int(own.time[0]) if part.start else None))
    joined: T = _join(parts)
    return joined


def floats_by_history(candles: Candles, compute: Callable[[Candles, int | None], T]) -> T:
    """The same where ``compute`` gives floats, an array or a mapping of them: NaN in frozen candles."""
    found = find_breaks(candles)
    values = by_history(candles, compute, found)
    return _blank(values, found.frozen) if found.frozen.any() else values


def _blank(values: Any, rows: Bools) -> Any:
    if isinstance(values, Mapping):
        return {name: _blank(column, rows) for name, column in values.items()}
    return np.where(rows, np.nan, values)


def _join(parts: Sequence[Any]) -> Any:
    """Parts of the same shape one behind the other: arrays by their last axis, what holds arrays by each of them."""
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts, axis=-1)
    if isinstance(first, Mapping):
        return {name: _join([part[name] for part in parts]) for name in first}
    names = [one.name for one in fields(first)]
    return type(first)(**{name: _join([getattr(part, name) for part in parts]) for name in names})
