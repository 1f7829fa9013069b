"""A causal percentile one value at a time: the same numbers as ``causal_percentile``, to the bit."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable

__all__ = ["RankWindow"]


class RankWindow:
    """The last values of one series, kept sorted.

    Parameters
    ----------
    window : int
        Values remembered.
    prior : int
        Pseudo-values of the uniform prior until so many are seen.
    low, high : float
        Range of the prior.
    values : iterable of float
        History to start from, oldest first.

    Examples
    --------
    >>> window = RankWindow(window=500, prior=1)
    >>> [window.push(value) for value in (0.5, 0.9, 0.1)]
    [0.5, 1.0, 0.0]
    """

    def __init__(
        self, window: int, prior: int, low: float = 0.0, high: float = 1.0, values: Iterable[float] = ()
    ) -> None:
        self.window, self.prior, self.low, self.high = window, prior, low, high
        self._recent = deque(values, maxlen=window)
        self._sorted = sorted(self._recent)

    def __len__(self) -> int:
        return len(self._recent)

    @property
    def values(self) -> list[float]:
        """The values remembered, oldest first: all there is to store."""
        return list(self._recent)

    def rank(self, value: float) -> float:
        """Mid-rank of a value among those remembered, 0..1; changes nothing."""
        ordered, count = self._sorted, len(self._recent)
        below = bisect_left(ordered, value)
        equal = bisect_right(ordered, value, below) - below
        missing = self.prior - count
        if missing <= 0:
            return (below + 0.5 * equal) / count
        uniform = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return (below + 0.5 * equal + missing * uniform) / (count + missing)

    def push(self, value: float) -> float:
        """Rank a value, then remember it in place of the oldest."""
        recent, ordered = self._recent, self._sorted
        count = len(recent)
        below = bisect_left(ordered, value)
        new = below == count or ordered[below] != value  # nearly always: then there is nothing to search
        above = below if new else bisect_right(ordered, value, below)
        rank = self.rank(value) if count < self.prior else (below + 0.5 * (above - below)) / count
        if count == self.window:
            oldest = recent[0]
            del ordered[bisect_left(ordered, oldest)]
            above -= oldest <= value
        recent.append(value)
        ordered.insert(above, value)
        return rank
