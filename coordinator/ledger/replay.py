"""Reading a run back candle by candle, as it was written; and its learners' snapshots and histories."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final, NamedTuple

import pandas as pd
from sqlalchemy import Connection, Table, and_, select, union

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema, schema_history
from coordinator.ledger.candle_rows import HISTORIES, SIGNAL_FIELDS
from coordinator.ledger.database import Database
from coordinator.ledger.frame import DECISION_FIELDS
from coordinator.ledger.records import CandleRecord, OutcomeRow, SignalRow, VoteRow

__all__ = ["Snapshot", "history_frame", "last_snapshot", "named_snapshots", "replay_run"]

CANDLES_AT_ONCE: Final = 2048

Parts = dict[int, list[Any]]
_new: Final[Any] = tuple.__new__


class Snapshot(NamedTuple):
    """A learner's state as it was after the candle that opened at ``time``."""

    time: int
    state: Any


def replay_run(database: Database, run_id: int, after: int | None = None) -> Iterator[CandleRecord]:
    """The records of a run in time order; each part sorted by its key.

    Read in portions, with no transaction open while the caller works on them, so memory is bounded and the caller
    may write.

    Parameters
    ----------
    after : int or None
        Only candles later than this one (a snapshot's time, say).
    """
    with database.read() as connection:
        times = _times(connection, run_id, after)
    for first in range(0, len(times), CANDLES_AT_ONCE):
        part = times[first : first + CANDLES_AT_ONCE]
        with database.read() as connection, _no_collection():
            parts = _read(connection, run_id, part[0], part[-1])
        for time in part:
            yield CandleRecord(time, **{name: tuple(rows[time]) for name, rows in parts if time in rows})


def last_snapshot(connection: Connection, run_id: int, learner: str, at: int) -> Snapshot | None:
    """A learner's last snapshot that was taken at a time or before."""
    table = schema_history.learner_snapshots
    selected = and_(table.c.run_id == run_id, table.c.learner == learner, table.c.time <= at)
    newest = select(table.c.time, table.c.state).where(selected).order_by(table.c.time.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else Snapshot(int(row.time), row.state)


def named_snapshots(connection: Connection, run_id: int, prefix: str) -> list[tuple[str, Snapshot]]:
    """(name, snapshot) of every state whose name begins so, in time order."""
    table = schema_history.learner_snapshots
    selected = and_(table.c.run_id == run_id, table.c.learner.startswith(prefix, autoescape=True))
    query = select(table.c.learner, table.c.time, table.c.state).where(selected)
    rows = connection.execute(query.order_by(table.c.time, table.c.learner))
    return [(row.learner, Snapshot(int(row.time), row.state)) for row in rows]


def history_frame(connection: Connection, run_id: int, part: str) -> pd.DataFrame:
    """One history of a run as a table, sorted by its key.

    Parameters
    ----------
    part : str
        "weights", "vote_weights", "thresholds", "drops", "improvements" or "snapshots".

    Returns
    -------
    pandas.DataFrame
        ``time`` (``datetime64[us, UTC]``), then the columns of the row's type in
        :mod:`coordinator.ledger.records`.
    """
    known = {history.part: history for history in HISTORIES}
    if part not in known:
        raise CoordinatorError("history", "the ledger", f"be one of {', '.join(known)}", part)
    table = known[part].table
    names = ["time", *known[part].row._fields]
    query = select(*(table.c[name] for name in names)).where(table.c.run_id == run_id)
    rows = [tuple(row) for row in connection.execute(query)]
    keys = [name for name in names if name in table.primary_key.columns]
    frame = pd.DataFrame.from_records(rows, columns=names).sort_values(keys, ignore_index=True)
    return frame.assign(
        time=pd.to_datetime(frame["time"].astype("int64"), unit="s", utc=True).dt.as_unit("us")
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without garbage collection, which would take as long as reading: rows hold no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _times(connection: Connection, run_id: int, after: int | None) -> list[int]:
    """All candles at which the run wrote or, in a batch, must have learned something."""
    columns = [schema.candles.c.time, schema.signals.c.time, schema.outcomes.c.known_at]
    queries = []
    for column in columns:
        query = select(column).where(column.table.c.run_id == run_id, column.is_not(None))
        queries.append(query if after is None else query.where(column > after))
    return sorted(int(row[0]) for row in connection.execute(union(*queries)))


def _read(connection: Connection, run_id: int, first: int, last: int) -> list[tuple[str, Parts]]:
    """Every part that has rows at the candles from first to last: its name, and the rows by candle."""
    parts = [("signals", _signals(connection, run_id, first, last))]
    outcomes = schema.outcomes.c
    query = select(outcomes.known_at, *(outcomes[name] for name in OutcomeRow._fields))
    within = and_(outcomes.run_id == run_id, outcomes.known_at.between(first, last))
    rows = connection.execute(query.where(within)).all()
    parts.append(("outcomes", _grouped(rows, OutcomeRow, key=2)))
    for history in HISTORIES:
        table = history.table
        query = select(table.c.time, *(table.c[name] for name in history.row._fields))
        rows = connection.execute(query.where(_within(table, run_id, first, last))).all()
        # What its key has beyond the run and the time comes first in each row's type.
        parts.append((history.part, _grouped(rows, history.row, key=len(table.primary_key) - 2)))
    return [(name, rows) for name, rows in parts if rows]


def _signals(connection: Connection, run_id: int, first: int, last: int) -> Parts:
    """The one part that is large.

    Its three tables are read each by itself and put together here: a join of them is at the mercy of the database's
    statistics (PostgreSQL without any takes a hundred times as long).
    """

    def rows(table: Table, names: Iterable[str]) -> list[tuple[Any, ...]]:
        columns = [table.c.time, table.c.pair, *(table.c[name] for name in names)]
        result = connection.execute(select(*columns).where(_within(table, run_id, first, last)))
        # The driver's own tuples: none of the columns needs SQLAlchemy's conversions but one.
        return list(result.cursor.fetchall())

    votes: dict[tuple[int, str], list[VoteRow]] = {}
    for row in rows(schema.votes, VoteRow._fields):
        selected = votes.get(row[:2])
        if selected is None:
            votes[row[:2]] = [_new(VoteRow, row[2:])]
        else:
            selected.append(_new(VoteRow, row[2:]))
    decisions = {row[:2]: row[2:] for row in rows(schema.decisions, DECISION_FIELDS)}
    out: Parts = {}
    for row in rows(schema.signals, SIGNAL_FIELDS[1:]):
        d = decisions[row[:2]]
        said = sorted(votes.get(row[:2], ()))
        # SQLite has 0 and 1; the last three are texts.
        decided = (*d[:4], bool(d[4]), d[5] or "", *d[6:10], *(text or "" for text in d[10:]))
        signal = (*row[1:-1], *decided, tuple(said), row[-1])
        out.setdefault(row[0], []).append(_new(SignalRow, signal))
    for signals in out.values():
        signals.sort(key=itemgetter(0))
    return out


def _grouped(rows: Iterable[Any], row_type: Any, key: int) -> Parts:
    """Rows by their first column, the rest as the type; sorted by its first ``key`` columns."""
    out: Parts = {}
    for row in rows:
        out.setdefault(row[0], []).append(_new(row_type, row[1:]))
    for rows in out.values():
        if len(rows) > 1:
            rows.sort(key=itemgetter(*range(key)))
    return out


def _within(table: Table, run_id: int, first: int, last: int) -> Any:
    return and_(table.c.run_id == run_id, table.c.time.between(first, last))
