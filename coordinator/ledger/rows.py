"""A table of decisions to rows of the ledger's tables, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, RowMapping, Select, Table, and_, select

from coordinator.ledger import schema
from coordinator.ledger.frame import (
    DECISION_FIELDS,
    OPTIONAL_TEXTS,
    VOTE_PARTS,
    normalise_decisions,
    vote_columns,
)

__all__ = ["decisions_from_rows", "rows_of", "signal_query", "vote_query"]

_KEY = ("run_id", "time", "pair")
_SIGNAL = ("direction", "price", "stop", "target", "horizon", "clock", "reasons")
# Names in the table of decisions to names of columns.
_OUTCOME = {"outcome_r": "r", "outcome_exit": "exit", "outcome_time": "time_resolved"}


def rows_of(frame: pd.DataFrame, run_id: int) -> dict[Table, list[dict[str, Any]]]:
    """Rows of each table, parents first. NaN, NaT and empty optional texts become None.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`~coordinator.ledger.frame.normalise_decisions` returns it.
    """
    # Python's own values, and None for what is missing: what every database driver takes.
    plain: dict[str, list[Any]] = {}
    for name in frame.columns:
        column = _seconds(frame[name]) if name in ("time", "outcome_time") else frame[name]
        if name in OPTIONAL_TEXTS:
            column = column.where(column != "")
        plain[str(name)] = column.astype(object).where(column.notna(), None).tolist()
    key = {"run_id": [run_id] * len(frame), "time": plain["time"], "pair": plain["pair"]}
    votes: list[dict[str, Any]] = []
    for component in schema.COMPONENTS:
        parts = {part: plain[name] for part, name in zip(VOTE_PARTS, vote_columns(component), strict=True)}
        rows = _records(key | {"component": [component] * len(frame)} | parts)
        votes += [row for row in rows if any(row[part] is not None for part in VOTE_PARTS)]
    # A batch knows an outcome from the candle on that resolved it.
    outcome = {column: plain[name] for name, column in _OUTCOME.items()} | {"known_at": plain["outcome_time"]}
    return {
        schema.signals: _records(key | {name: plain[name] for name in _SIGNAL}),
        schema.votes: votes,
        schema.decisions: _records(key | {name: plain[name] for name in DECISION_FIELDS}),
        schema.outcomes: _records(key | outcome),
    }


def signal_query(run_id: int) -> Select[Any]:
    """Signals with their decisions and outcomes, under the names of the table of decisions."""
    s, d, o = schema.signals, schema.decisions, schema.outcomes
    columns: list[ColumnElement[Any]] = [s.c[name] for name in ("time", "pair", *_SIGNAL)]
    columns += [d.c[name] for name in DECISION_FIELDS]
    columns += [o.c[column].label(name) for name, column in _OUTCOME.items()]
    query = select(*columns).join_from(s, d, _same_signal(s, d)).join(o, _same_signal(s, o))
    return query.where(s.c.run_id == run_id)


def vote_query(run_id: int) -> Select[Any]:
    """All votes of a run."""
    votes = schema.votes
    columns = [votes.c[name] for name in ("time", "pair", "component", *VOTE_PARTS)]
    return select(*columns).where(votes.c.run_id == run_id)


def decisions_from_rows(signals: Sequence[RowMapping], votes: Sequence[RowMapping]) -> pd.DataFrame:
    """The table of decisions from the rows of both queries."""
    frame = pd.DataFrame.from_records([dict(row) for row in signals], columns=_names(signal_query(0)))
    voted = pd.DataFrame.from_records([dict(row) for row in votes], columns=_names(vote_query(0)))
    for component in schema.COMPONENTS:
        selected = voted[voted["component"] == component].drop(columns="component")
        names = dict(zip(VOTE_PARTS, vote_columns(component), strict=True))
        frame = frame.merge(selected.rename(columns=names), on=["time", "pair"], how="left")
    for name in ("time", "outcome_time"):
        frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="s", utc=True)
    return normalise_decisions(frame, "the ledger")


def _records(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _seconds(times: pd.Series) -> pd.Series:
    """UTC times to seconds since the epoch, missing ones kept."""
    return pd.Series(times.dt.as_unit("s").astype("int64").astype("Int64").mask(times.isna()))


def _names(query: Select[Any]) -> list[str]:
    return [str(column.name) for column in query.selected_columns]


def _same_signal(one: Table, other: Table) -> ColumnElement[bool]:
    return and_(*(one.c[name] == other.c[name] for name in _KEY))
