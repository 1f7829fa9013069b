"""Effects of an improvement by blocks of days, and whether their mean is above or below zero.

Effects of signals that overlap share their luck and become known on days near each other, so a block of days is one
observation (``decision.edge.mean_gain``). Blocks are few, so their mean is judged as Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from coordinator.decision.edge import Gain, edge_probability, gain_probability, mean_gain, student_as_normal
from coordinator.types import SECONDS_PER_DAY

__all__ = ["EffectBlocks", "MeanEffect"]


class MeanEffect(NamedTuple):
    """Mean of the effects of some blocks, and the probabilities that it is not zero.

    Attributes
    ----------
    gain : mean and its standard error, in R; (0, inf) of fewer than three blocks
    blocks, effects : how many there are
    """

    gain: Gain
    blocks: int
    effects: int

    def gain_probability(self, prior: float, scale: float) -> float:
        """P(mean > 0), as ``edge_probability`` has it."""
        return edge_probability(self._as_normal(), prior, scale)

    def harm_probability(self, prior: float, scale: float) -> float:
        """P(mean < 0), likewise."""
        gain = self._as_normal()
        return edge_probability(Gain(-gain.mean, gain.error), prior, scale)

    def flat_probability(self) -> float:
        """P(mean > 0) under a flat prior; half where nothing is known."""
        return gain_probability(self._as_normal())

    def _as_normal(self) -> Gain:
        """The mean brought so near to zero that the normal distribution gives the probability of Student's t."""
        mean, error = self.gain
        if not 0.0 < error < math.inf:
            return self.gain
        return Gain(student_as_normal(mean / error, self.blocks - 1) * error, error)


class EffectBlocks:
    """Count and sum of the effects of each block of days.

    Parameters
    ----------
    days : int, >= 1
        Length of a block: about as long as trades last at most. It begins with its first effect.

    Examples
    --------
    >>> blocks = EffectBlocks(10)
    >>> for day, effect in ((0, 1.0), (9, 0.5), (10, -0.5), (25, 0.5)):
    ...     blocks.add(day * SECONDS_PER_DAY, effect)
    >>> blocks.mean().effects, blocks.mean().blocks, blocks.mean().gain.mean
    (4, 3, 0.375)
    """

    def __init__(self, days: int) -> None:
        self._seconds = days * SECONDS_PER_DAY
        self._rows: list[tuple[int, int, float]] = []
        self._fresh_from = 0

    def add(self, time: int, effect: float) -> None:
        """Add an effect, finite, in R, that became known at a time (seconds since the epoch), in time order."""
        rows = self._rows
        if not rows or time >= rows[-1][0] + self._seconds or rows[-1][0] < self._fresh_from:
            rows.append((time // SECONDS_PER_DAY * SECONDS_PER_DAY, 0, 0.0))
        start, count, total = rows[-1]
        rows[-1] = start, count + 1, total + effect

    def begin_fresh(self, time: int) -> None:
        """Effects from a day on (its start, seconds since the epoch) are in blocks of their own: the fresh ones."""
        self._fresh_from = time // SECONDS_PER_DAY * SECONDS_PER_DAY

    def clear(self) -> None:
        """Forget all effects."""
        self._rows.clear()

    def drop_before(self, time: int) -> None:
        """Forget the blocks that began before a time."""
        self._rows = [row for row in self._rows if row[0] >= time]

    def mean(self, *, fresh: bool = False) -> MeanEffect:
        """Mean effect of all blocks, or of the fresh ones."""
        rows = [row for row in self._rows if not fresh or row[0] >= self._fresh_from]
        count = np.array([row[1] for row in rows], np.float64)
        total = np.array([row[2] for row in rows], np.float64)
        gain = mean_gain(count, total, count, np.zeros(len(rows)))
        return MeanEffect(gain, len(rows), int(count.sum()))

    def state(self) -> dict[str, Any]:
        """Everything, in JSON types; ``restore`` gives it back to the bit."""
        return {"fresh_from": self._fresh_from, "rows": [list(row) for row in self._rows]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self._fresh_from = state["fresh_from"]
        self._rows = [(start, count, total) for start, count, total in state["rows"]]
