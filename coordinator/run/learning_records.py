"""What a run learned and did without, as the ledger's records: histories, drops, improvements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from coordinator.decision.learners import History
from coordinator.decision.table import SignalTable
from coordinator.ledger.records import (
    CandleRecord,
    DropRow,
    ImprovementRow,
    SnapshotRow,
    ThresholdRow,
    VoteWeightRow,
    WeightRow,
)
from coordinator.run.improvements import Improved

__all__ = ["FOLD", "Seen", "end_state", "histories", "observations", "together"]

FOLD = "fold"
"""Name of the snapshots of the fold's state."""

Absences = Mapping[str, npt.NDArray[np.object_]]


class Seen(NamedTuple):
    """How many reviews, threshold steps and vote weights of a history are written already."""

    reviews: int = 0
    thresholds: int = 0
    weights: int = 0

    @classmethod
    def all_of(cls, history: History) -> Seen:
        """Everything there is."""
        return cls(len(history.reviews), len(history.thresholds), len(history.weights))


def histories(history: History, seen: Seen) -> list[CandleRecord]:
    """What the learners changed beyond what was seen, in time order."""
    reviews = (
        CandleRecord(
            x.time, weights=(WeightRow(x.phase_after, x.weight_after, x.reason, _finite(vars(x.evidence))),)
        )
        for x in history.reviews[seen.reviews :]
    )
    shares = (
        CandleRecord(time, vote_weights=tuple(VoteWeightRow(*share) for share in weights.items()))
        for time, weights in history.weights[seen.weights :]
    )
    steps = (
        CandleRecord(x.time, thresholds=(ThresholdRow(x.pair, x.after, x.reason),))
        for x in history.thresholds[seen.thresholds :]
    )
    return list(together((*reviews, *shares, *steps)))


def observations(
    table: SignalTable, improved: Mapping[str, Improved], absences: Absences, rows: Iterable[int]
) -> dict[int, CandleRecord]:
    """Drops and improvements of some of a table's signals, by candle.

    Parameters
    ----------
    improved : mapping of improvement to its numbers, shape (n,)
        Nothing is recorded of a signal where the adjusted one is NaN.
    absences : mapping of component to ndarray of str, shape (n,)
        Why it did not vote on a signal; empty where it did.
    """
    found: dict[int, tuple[list[DropRow], list[ImprovementRow]]] = {}
    for i in rows:
        pair, time = table.pairs[table.pair[i]], int(table.time[i])
        drops = [DropRow(pair, name, why[i]) for name, why in absences.items() if why[i]]
        improvements = [
            ImprovementRow(pair, name, x.mode, float(x.base[i]), float(x.adjusted[i]))
            for name, x in improved.items()
            if x.adjusted[i] == x.adjusted[i]
        ]
        if drops or improvements:
            mine = found.setdefault(time, ([], []))
            mine[0].extend(drops)
            mine[1].extend(improvements)
    return {
        time: CandleRecord(time, drops=tuple(drops), improvements=tuple(improvements))
        for time, (drops, improvements) in found.items()
    }


def end_state(learners: Mapping[str, Any]) -> SnapshotRow:
    """What a backtest's learners had learned in the end, where a bot's snapshots have it; ranks are left out."""
    return SnapshotRow(FOLD, {"fold": {"learners": dict(learners)}})


def together(records: Iterable[CandleRecord]) -> Iterator[CandleRecord]:
    """One record a candle, in time order."""
    merged: dict[int, CandleRecord] = {}
    for x in records:
        mine = merged.get(x.time)
        if mine is None:
            merged[x.time] = x
        else:
            parts = {name: getattr(mine, name) + rows for name, rows in vars(x).items() if name != "time"}
            merged[x.time] = replace(mine, **parts)
    yield from (merged[time] for time in sorted(merged))


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in values.items()}
