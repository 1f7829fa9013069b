"""A candle's record to rows of the ledger's tables, and rows back to the parts of a record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Table

from coordinator.ledger import schema, schema_history
from coordinator.ledger.column_types import plain_json
from coordinator.ledger.frame import DECISION_FIELDS, OPTIONAL_TEXTS
from coordinator.ledger.records import (
    CandleRecord,
    DropRow,
    ImprovementRow,
    SignalRow,
    SnapshotRow,
    ThresholdRow,
    VoteRow,
    VoteWeightRow,
    WeightRow,
)

__all__ = ["HISTORIES", "SIGNAL_FIELDS", "History", "Row", "history_rows", "signal_tables"]

Row = dict[str, Any]

SIGNAL_FIELDS: Final = ("pair", "direction", "price", "stop", "target", "horizon", "reasons", "clock")


class History(NamedTuple):
    """One part of a record that is a table of its own: the part's name, the table, the rows' type."""

    part: str
    table: Table
    row: Any


HISTORIES: Final = (
    History("weights", schema_history.weight_history, WeightRow),
    History("vote_weights", schema_history.vote_weight_history, VoteWeightRow),
    History("thresholds", schema_history.threshold_history, ThresholdRow),
    History("drops", schema_history.drops, DropRow),
    History("improvements", schema_history.improvements, ImprovementRow),
    History("snapshots", schema_history.learner_snapshots, SnapshotRow),
)
_JSON: Final = ("metrics", "state")


def signal_tables(run_id: int, time: int, signals: Iterable[SignalRow]) -> dict[Table, list[Row]]:
    """Rows of signals, votes, decisions and (unresolved) outcomes; NaN becomes None."""
    out: dict[Table, list[Row]] = {
        table: [] for table in (schema.signals, schema.votes, schema.decisions, schema.outcomes)
    }
    for signal in signals:
        key = {"run_id": run_id, "time": int(time), "pair": signal.pair}
        values = {name: _plain(value) for name, value in zip(signal._fields, signal, strict=True)}
        values |= {name: values[name] or None for name in OPTIONAL_TEXTS if name in values}
        out[schema.signals].append(key | {name: values[name] for name in SIGNAL_FIELDS})
        out[schema.decisions].append(key | {name: values[name] for name in DECISION_FIELDS})
        out[schema.outcomes].append(key | dict.fromkeys(("r", "exit", "time_resolved", "known_at")))
        out[schema.votes] += [
            key | {name: _plain(value) for name, value in zip(VoteRow._fields, vote, strict=True)}
            for vote in signal.votes
        ]
    return out


def history_rows(run_id: int, record: CandleRecord) -> dict[Table, list[Row]]:
    """Rows of every other table that a candle writes; NaN becomes None."""
    key = {"run_id": run_id, "time": int(record.time)}
    return {
        history.table: [
            key | {name: _plain(value, name) for name, value in zip(row._fields, row, strict=True)}
            for row in getattr(record, history.part)
        ]
        for history in HISTORIES
    }


def _plain(value: Any, name: str = "") -> Any:
    """A value as the drivers take it, and as it is read back."""
    if name in _JSON or isinstance(value, Mapping):
        return plain_json(value, f"the {name} of a candle's record")
    if hasattr(value, "item"):  # NumPy's numbers
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value
