"""What a run writes at one candle, and what replaying it gives back.

Times are open times of candles in whole seconds since 1970-01-01 UTC. An unknown number is None, so that records
compare with ``==``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd

from coordinator.errors import CoordinatorError
from coordinator.ledger.frame import VOTE_PARTS, normalise_decisions, vote_columns
from coordinator.ledger.schema import COMPONENTS

__all__ = [
    "CandleRecord",
    "DropRow",
    "ImprovementRow",
    "OutcomeRow",
    "SignalRow",
    "SnapshotRow",
    "ThresholdRow",
    "VoteRow",
    "VoteWeightRow",
    "WeightRow",
    "check_record",
    "signal_rows",
]


class VoteRow(NamedTuple):
    """A component's vote on a signal: direction +1, -1 or 0; confidence and percentile 0..1."""

    component: str
    direction: int | None
    confidence: float | None
    percentile: float | None


class SignalRow(NamedTuple):
    """A signal of the candle with its decision and votes; units as in :mod:`coordinator.ledger.frame`."""

    pair: str
    direction: int
    price: float | None
    stop: float | None
    target: float | None
    horizon: int
    reasons: str
    unified_score: float | None
    unified_confidence: float | None
    threshold: float | None
    ml_weight: float | None
    accepted: bool
    rejection: str
    ml_score: float | None = None
    ml_rank: float | None = None
    win_probability: float | None = None
    expected_r: float | None = None
    tactic: str = ""
    phase: str = ""
    arm: str = ""
    regime: str = ""
    votes: tuple[VoteRow, ...] = ()
    clock: str = "1h"


class OutcomeRow(NamedTuple):
    """What became of an earlier signal: its time and pair, R after costs, "target", "stop", "horizon" or "exit"."""

    time: int
    pair: str
    r: float
    exit: str
    time_resolved: int


class WeightRow(NamedTuple):
    """A review of the ML weight (0..0.7): the phase after it, why, and the figures it rested on."""

    phase: str
    ml_weight: float
    reason: str
    metrics: Mapping[str, Any]


class VoteWeightRow(NamedTuple):
    """A component's weight (0..1) from this candle on."""

    component: str
    weight: float


class ThresholdRow(NamedTuple):
    """A pair's threshold (0..1) from this candle on."""

    pair: str
    threshold: float
    reason: str


class DropRow(NamedTuple):
    """A component that was absent, and why."""

    pair: str
    component: str
    reason: str


class ImprovementRow(NamedTuple):
    """What an improvement did (mode "on") or would have done ("shadow") to a value."""

    pair: str
    name: str
    mode: str
    base: float | None
    adjusted: float | None


class SnapshotRow(NamedTuple):
    """A learner's state after the candle, in JSON types; an object, as SQLite takes a bare whole number for its own."""

    learner: str
    state: Mapping[str, Any]


@dataclass(frozen=True)
class CandleRecord:
    """Everything that a run writes at one candle.

    The order within each part does not matter when written; replaying sorts each by its key, and a signal's votes
    by component.

    Attributes
    ----------
    time : int
        Open time of the candle.
    signals : tuple of SignalRow
        The candle's own signals.
    outcomes : tuple of OutcomeRow
        Outcomes of earlier signals that became known at this candle. A batch run's are known at the candle that
        resolved them; a live run whose replay should equal it writes them there too.
    """

    time: int
    signals: tuple[SignalRow, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()
    weights: tuple[WeightRow, ...] = ()
    vote_weights: tuple[VoteWeightRow, ...] = ()
    thresholds: tuple[ThresholdRow, ...] = ()
    drops: tuple[DropRow, ...] = ()
    improvements: tuple[ImprovementRow, ...] = ()
    snapshots: tuple[SnapshotRow, ...] = ()


_SIGNAL_FIELDS: Final = SignalRow._fields[:-2]
_SORTED: Final = sorted(COMPONENTS)


def signal_rows(decisions: pd.DataFrame) -> dict[int, tuple[SignalRow, ...]]:
    """A table of decisions as signals by time, sorted by pair, their votes by component.

    Outcomes are left out: at a signal's own candle its outcome is not known; it belongs to the record of the
    candle that resolves it.

    Parameters
    ----------
    decisions : pandas.DataFrame
        As :func:`~coordinator.ledger.frame.normalise_decisions` takes it.
    """
    frame = normalise_decisions(decisions, "the decisions")
    plain = {
        name: [None if value != value else value for value in frame[name].tolist()]  # NaN and NaT
        for name in (*_SIGNAL_FIELDS, "clock", *(name for part in _SORTED for name in vote_columns(part)))
    }
    times = frame["time"].dt.as_unit("s").astype("int64").tolist()
    votes = [
        list(zip(*(plain[name] for name in vote_columns(component)), strict=True)) for component in _SORTED
    ]
    out: dict[int, list[SignalRow]] = {}
    for i, values in enumerate(zip(*(plain[name] for name in _SIGNAL_FIELDS), strict=True)):
        cast = (
            VoteRow(component, None if parts[i][0] is None else int(parts[i][0]), *parts[i][1:])
            for component, parts in zip(_SORTED, votes, strict=True)
            if any(value is not None for value in parts[i])
        )
        row = SignalRow._make((*values, tuple(cast), plain["clock"][i]))
        out.setdefault(times[i], []).append(row)
    return {time: tuple(rows) for time, rows in out.items()}


def check_record(record: CandleRecord) -> None:
    """Refuse what no candle can have written.

    Raises
    ------
    CoordinatorError
        If an outcome is of this candle or later, or not resolved by it; a direction, component, mode or outcome is
        none; or something stands twice.
    """
    owner = f"the record of candle {record.time}"
    for row in record.signals:
        _check_signal(row, owner)
    for outcome in record.outcomes:
        if not outcome.time < outcome.time_resolved <= record.time:
            rule = "lie after its signal and not after this candle"
            raise CoordinatorError("time_resolved", owner, rule, outcome)
        if outcome.r is None or math.isnan(outcome.r) or not outcome.exit:
            raise CoordinatorError("outcome", owner, "be known", outcome)
    for improvement in record.improvements:
        if improvement.mode not in ("shadow", "on"):
            raise CoordinatorError("mode", owner, "be shadow or on", improvement.mode)
    keys: Mapping[str, list[Any]] = {
        "signals": [row.pair for row in record.signals],
        "outcomes": [row[:2] for row in record.outcomes],
        "weights": [None for _ in record.weights],
        "vote_weights": [row.component for row in record.vote_weights],
        "thresholds": [row.pair for row in record.thresholds],
        "drops": [row[:2] for row in record.drops],
        "improvements": [row[:2] for row in record.improvements],
        "snapshots": [row.learner for row in record.snapshots],
    }
    for name, values in keys.items():
        if len(values) != len(set(values)):
            raise CoordinatorError(name, owner, "hold each key once", values)


def _check_signal(row: SignalRow, owner: str) -> None:
    if row.direction not in (-1, 1):
        raise CoordinatorError("direction", f"{owner}, {row.pair}", "be -1 or 1", row.direction)
    components = [vote.component for vote in row.votes]
    if len(components) != len(set(components)) or not set(components) <= set(COMPONENTS):
        rule = f"be some of {', '.join(COMPONENTS)}, each once"
        raise CoordinatorError("votes", f"{owner}, {row.pair}", rule, components)
    silent = [vote.component for vote in row.votes if all(value is None for value in vote[1:])]
    if silent:
        rule = f"hold {', '.join(VOTE_PARTS)} or be left out"
        raise CoordinatorError("votes", f"{owner}, {row.pair}", rule, silent)
