"""The signals of all pairs as one table: what the fold works on, in backtest, hyperopt, dry-run and live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coordinator.decision.voting import Votes
from coordinator.signals.clock import pair_of
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["ARRAYS", "UNRESOLVED", "SignalTable", "join_tables"]

ARRAYS = (
    *(
        "time",
        "pair",
        "direction",
        "stop",
        "target",
        "state",
        "tactic_direction",
        "tactic_confidence",
        "clock",
        "rearmed",
        "barred",
    ),
    *("outcome_r", "outcome_exit", "outcome_time", "outcome_state"),
)

UNRESOLVED = np.iinfo(np.int64).max
"""``outcome_time`` of a signal whose outcome is not known yet."""


@dataclass(frozen=True)
class SignalTable:
    """Arrays of shape (n,) unless stated, sorted by time, then pair name.

    Attributes
    ----------
    pairs : names of series that ``pair`` indexes, sorted: a pair, or (of several clocks) a pair on a clock. No pair has
        two signals at a candle
    candle_seconds : length of a candle
    time : int, open time of the signal's candle, seconds since the epoch
    pair : int
    direction : int, +1 or -1
    votes : mapping of component to its votes; one that is left out is absent throughout
    stop, target : float, distances from the entry, ratios of its price
    state : int, index into ``signals.regime.STATES``
    tactic_direction, tactic_confidence : shape (n, 4), the tactics' views in the order of ``TACTICS``
    clock : int, index into ``signals.clock.CLOCKS``
    rearmed : int, 1 where the signal is one only because its trend goes on
    barred : int, index into ``REJECTIONS``: why it cannot be taken whatever is decided; 0 where it can
    outcome_r : float, NaN while unresolved
    outcome_exit : int, index into ``outcomes.EXITS``
    outcome_time : int, open time of the candle at whose close the outcome is known, or ``UNRESOLVED``
    outcome_state : int, the pair's state at that candle; -1 while unresolved
    """

    pairs: tuple[str, ...]
    candle_seconds: int
    time: Times
    pair: Ints
    direction: Ints
    votes: Mapping[str, Votes]
    stop: Floats
    target: Floats
    state: Ints
    tactic_direction: Ints
    tactic_confidence: Floats
    clock: Ints
    rearmed: Ints
    barred: Ints
    outcome_r: Floats
    outcome_exit: Ints
    outcome_time: Times
    outcome_state: Ints

    def __len__(self) -> int:
        return len(self.time)

    def rows(self, index: Ints | Bools | slice) -> SignalTable:
        """Some rows, in the order of the index."""
        arrays = {name: getattr(self, name)[index] for name in ARRAYS}
        return replace(self, **arrays, votes={name: vote.rows(index) for name, vote in self.votes.items()})

    def names(self, index: Ints | slice = slice(None)) -> list[str]:
        """Series of each row, or of some."""
        return [self.pairs[i] for i in self.pair[index].tolist()]

    def pair_names(self) -> list[str]:
        """Pair of each row, whatever its clock."""
        names = [pair_of(name) for name in self.pairs]
        return [names[i] for i in self.pair.tolist()]

    def known_at(self) -> Times:
        """Close of the candle that resolved each signal, seconds since the epoch; ``UNRESOLVED`` stays."""
        return self.outcome_time + np.where(self.outcome_time == UNRESOLVED, 0, self.candle_seconds)

    def signal_keys(self) -> list[tuple[int, str]]:
        """(time, pair name) of each row: what a signal is known by everywhere."""
        return list(zip(self.time.tolist(), self.pair_names(), strict=True))

    def with_pairs(self, pairs: tuple[str, ...]) -> SignalTable:
        """The same rows over another list of pairs, which must hold all of its own."""
        places = np.array([pairs.index(name) for name in self.pairs], dtype=np.int64)
        return replace(self, pairs=pairs, pair=places[self.pair])


def join_tables(one: SignalTable, two: SignalTable) -> SignalTable:
    """Rows of both, the first's first, over the pairs of both; a component absent in one is absent there."""
    pairs = tuple(sorted({*one.pairs, *two.pairs}))
    one, two = one.with_pairs(pairs), two.with_pairs(pairs)
    arrays: dict[str, Any] = {
        name: np.concatenate((getattr(one, name), getattr(two, name))) for name in ARRAYS
    }
    votes = {
        name: Votes.join(
            one.votes.get(name) or Votes.absent(len(one)), two.votes.get(name) or Votes.absent(len(two))
        )
        for name in sorted({*one.votes, *two.votes})
    }
    return replace(one, **arrays, votes=votes)
