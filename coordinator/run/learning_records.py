"""How a run's learners changed, and what its signals lacked, as the ledger's records."""

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
from coordinator.run.improvements import Improvement
from coordinator.signals.clock import pair_of

__all__ = ["FOLD", "WrittenCounts", "final_snapshot", "history_records", "merge_records", "signal_records"]

FOLD = "fold"
"""Name of the snapshots of the fold's state."""

AbsenceReasons = Mapping[str, npt.NDArray[np.object_]]


class WrittenCounts(NamedTuple):
    """How many reviews, threshold steps, vote weights and failures of a history are written already."""

    reviews: int = 0
    thresholds: int = 0
    weights: int = 0
    failures: int = 0

    @classmethod
    def all_of(cls, history: History) -> WrittenCounts:
        """Everything there is."""
        return cls(len(history.reviews), len(history.thresholds), len(history.weights), len(history.failures))


NOTHING_WRITTEN = WrittenCounts()


def history_records(history: History, written: WrittenCounts = NOTHING_WRITTEN) -> list[CandleRecord]:
    """How the learners changed beyond what is written already, in time order."""
    reviews = (
        CandleRecord(
            review.time,
            weights=(
                WeightRow(
                    review.phase_after, review.weight_after, review.reason, _finite(vars(review.evidence))
                ),
            ),
        )
        for review in history.reviews[written.reviews :]
    )
    vote_weights = (
        CandleRecord(time, vote_weights=tuple(VoteWeightRow(*weight) for weight in weights.items()))
        for time, weights in history.weights[written.weights :]
    )
    thresholds = (
        CandleRecord(step.time, thresholds=(ThresholdRow(step.pair, step.after, step.reason),))
        for step in history.thresholds[written.thresholds :]
    )
    first = {(f.time, f.learner): f for f in reversed(history.failures[written.failures :])}
    failures = (
        CandleRecord(f.time, drops=(DropRow("", f.learner, f"raised {f.error}; it begins anew"),))
        for f in first.values()
    )
    return list(merge_records((*reviews, *vote_weights, *thresholds, *failures)))


def signal_records(
    signals: SignalTable,
    improvements: Mapping[str, Improvement],
    absence_reasons: AbsenceReasons,
    rows: Iterable[int],
) -> dict[int, CandleRecord]:
    """Absent components and improvements of some signals, by candle.

    Parameters
    ----------
    improvements : mapping of improvement to its numbers, shape (n,)
        Nothing is recorded of a signal where the adjusted one is NaN.
    absence_reasons : mapping of component to ndarray of str, shape (n,)
        Why it did not vote on a signal; empty where it did.
    """
    by_candle: dict[int, tuple[list[DropRow], list[ImprovementRow]]] = {}
    for i in rows:
        pair, time = pair_of(signals.pairs[signals.pair[i]]), int(signals.time[i])
        drops = [DropRow(pair, name, reasons[i]) for name, reasons in absence_reasons.items() if reasons[i]]
        improved = [
            ImprovementRow(pair, name, value.mode, float(value.base[i]), float(value.adjusted[i]))
            for name, value in improvements.items()
            if value.adjusted[i] == value.adjusted[i]
        ]
        if drops or improved:
            candle = by_candle.setdefault(time, ([], []))
            candle[0].extend(drops)
            candle[1].extend(improved)
    return {
        time: CandleRecord(time, drops=tuple(drops), improvements=tuple(improved))
        for time, (drops, improved) in by_candle.items()
    }


def final_snapshot(learners: Mapping[str, Any]) -> SnapshotRow:
    """A backtest's learners after the last day, in the shape of a bot's snapshots, without the percentile ranks."""
    return SnapshotRow(FOLD, {"fold": {"learners": dict(learners)}})


def merge_records(records: Iterable[CandleRecord]) -> Iterator[CandleRecord]:
    """One record per candle, in time order."""
    merged: dict[int, CandleRecord] = {}
    for record in records:
        first = merged.get(record.time)
        if first is None:
            merged[record.time] = record
        else:
            parts = {
                name: getattr(first, name) + rows for name, rows in vars(record).items() if name != "time"
            }
            merged[record.time] = replace(first, **parts)
    yield from (merged[time] for time in sorted(merged))


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in values.items()}
