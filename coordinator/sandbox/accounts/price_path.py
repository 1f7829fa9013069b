"""The way a price takes through candles, and where it first reaches a level.

It is the path that the running candle shows (``series.running_candle``): an order meets what a client could see.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from coordinator.sandbox.series import Series, candle_turns

__all__ = ["Move", "first_reached", "price_path"]


class Move(NamedTuple):
    """A straight way from one price to another; between two moves the price may jump.

    Attributes
    ----------
    start, end : milliseconds since the epoch, start < end
    begin, final : prices
    """

    start: int
    end: int
    begin: float
    final: float

    def at(self, time: int) -> float:
        """Price at a time within the move."""
        return self.begin + (self.final - self.begin) * (time - self.start) / (self.end - self.start)


def price_path(series: Series, since: int, until: int) -> list[Move]:
    """Moves that overlap ``since..until`` (milliseconds, both included), in time order, whole ones.

    Parameters
    ----------
    series : Series
        Whole candles, also later ones: only what lies within the span is looked at.
    """
    first = max(0, int(np.searchsorted(series.times, since - series.step, side="left")))
    last = int(np.searchsorted(series.times, until, side="right"))
    moves: list[Move] = []
    for opened, values in zip(
        series.times[first:last].tolist(), series.values[first:last].tolist(), strict=True
    ):
        marks, turns = candle_turns(values)
        times = [opened + round(mark * series.step) for mark in marks]
        moves += [Move(*leg) for leg in zip(times[:-1], times[1:], turns[:-1], turns[1:], strict=True)]
    return [move for move in moves if move.end >= since and move.start <= until]


def first_reached(
    moves: Sequence[Move] | Iterable[Move], level: float, below: bool, since: int, until: int
) -> tuple[int, float] | None:
    """First time and price within ``since..until`` at or below a level (``below``), or at or above it.

    The price is the level's, or the one at which a jump or the beginning lies beyond it. How the span is cut into
    parts changes nothing: the time of a crossing depends on its move alone.

    Examples
    --------
    >>> first_reached([Move(0, 100, 10.0, 20.0)], 15.0, below=False, since=0, until=100)
    (50, 15.0)
    >>> first_reached([Move(0, 100, 10.0, 20.0)], 15.0, below=False, since=0, until=49) is None
    True
    """
    sign = -1.0 if below else 1.0
    for move in moves:
        if move.end <= since or move.start >= until:
            continue  # at its end the next one has begun, perhaps elsewhere; at its start nothing of it is seen yet
        low, high = max(move.start, since), min(move.end, until)
        if sign * move.at(low) >= sign * level:
            return low, move.at(low)
        if sign * move.final >= sign * level:
            share = (level - move.begin) / (move.final - move.begin)
            time = max(low, move.start + math.ceil(share * (move.end - move.start)))
            if time <= high:
                return time, level
    return None
