"""The signals of all pairs in time order, and the places that they compete for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from coordinator.portfolio.slot_terms import TAKE, portfolio_state, take_probability
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints, Times

__all__ = ["LIMIT", "MarketSignals", "Places", "r_per_slot_day", "taken_by"]

LIMIT = 5.0  # what is seen is clipped to -5..5


@dataclass(frozen=True)
class MarketSignals:
    """The resolved signals of all pairs, sorted by time, then confidence (the highest first).

    Attributes
    ----------
    time : ndarray of int, shape (n,), open times of the signals' candles, seconds
    pair : ndarray of int, shape (n,)
    seen : ndarray of float32, shape (n, n_features), within -5..5
    r : ndarray of float, shape (n,), the virtual trades' outcomes after costs, in R
    until : ndarray of int, shape (n,)
        Open times of the candles at whose close the outcomes were known, seconds.
    """

    time: Times
    pair: Ints
    seen: npt.NDArray[np.float32]
    r: Floats
    until: Times

    def __len__(self) -> int:
        return len(self.time)

    def rows(self, rows: Bools) -> MarketSignals:
        """Some of the signals, in their order."""
        return MarketSignals(
            self.time[rows], self.pair[rows], self.seen[rows], self.r[rows], self.until[rows]
        )


@dataclass
class Places:
    """The positions that are held while signals pass by.

    Only what was known before a signal's candle has left its place: an outcome of the same candle has not.

    Attributes
    ----------
    count : places in all
    time_limit : longest that a position is held, seconds
    held : pair to when it was taken and when its outcome is known, seconds
    """

    count: int
    time_limit: int
    held: dict[int, tuple[int, int]] = field(default_factory=dict)
    _now: int = -1
    _state: tuple[float, float] = (0.0, 0.0)

    def at(self, time: int) -> tuple[float, float]:
        """What the portfolio is before a candle's first entry (``portfolio_state``)."""
        if time != self._now:
            self.held = {pair: (since, until) for pair, (since, until) in self.held.items() if until >= time}
            opened = [since for since, _ in self.held.values()]
            self._now, self._state = time, portfolio_state(opened, self.count, time, self.time_limit)
        return self._state

    def can_take(self, pair: int) -> bool:
        """Whether there is a place for a pair that is not held."""
        return len(self.held) < self.count and pair not in self.held

    def take(self, pair: int, time: int, until: int) -> None:
        """Enter a position."""
        self.held[pair] = (time, until)


def taken_by(signals: MarketSignals, terms: Floats | None, places: Places) -> Bools:
    """Which signals get a place, shape (n,).

    As in an account: of the signals of a candle those that the policy would take, the likeliest first, as far as
    places are free.

    Parameters
    ----------
    terms : shape (n, 3), the policy's (``slot_terms``); None to take whatever finds a place
    """
    taken = np.zeros(len(signals), dtype=bool)
    edges = np.flatnonzero(np.diff(signals.time, prepend=-1, append=-1))
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        time = int(signals.time[first])
        state, rows = places.at(time), np.arange(first, last)
        if terms is not None:
            probability = take_probability(terms[first:last], state)
            rows = rows[np.argsort(-probability, kind="stable")][: int((probability >= TAKE).sum())]
        for row in rows.tolist():
            pair = int(signals.pair[row])
            if places.can_take(pair):
                places.take(pair, time, int(signals.until[row]))
                taken[row] = True
    return taken


def r_per_slot_day(signals: MarketSignals, taken: Bools, places: int, begin: int, end: int) -> float:
    """R of the taken signals for each place and day of a span (seconds), idle places included; NaN without signals."""
    if not len(signals) or end <= begin:
        return float("nan")
    return float(signals.r[taken].sum()) / (places * (end - begin) / SECONDS_PER_DAY)
