"""Writing the candles of a live run, each in one transaction and each only once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, insert, select, update

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.candle_rows import Row, history_rows, signal_tables
from coordinator.ledger.records import CandleRecord, OutcomeRow, check_record
from coordinator.ledger.run_info import lock_live_run

__all__ = ["LedgerConflictError", "insert_histories", "last_candle", "write_candle"]


class LedgerConflictError(CoordinatorError):
    """Something else is written under the same key; the ledger keeps what it has."""


_SHOWN: Final = 160  # characters of a row in a message
_DECIDED: Final = (schema.signals, schema.votes, schema.decisions)


def write_candle(connection: Connection, run_id: int, record: CandleRecord, owner: str) -> None:
    """Write a record; what is there already must be the same.

    A signal is taken as a whole with its votes and its decision. Signals of further pairs, and further rows, may be
    added to a candle later, and a late candle after its successors: what comes in time order is the replay.

    Raises
    ------
    CoordinatorError
        If the run is not an open live one, the record cannot be one (see
        :func:`~coordinator.ledger.records.check_record`), an outcome's signal is not there, or the ledger holds
        something else under the same key.
    """
    check_record(record)
    lock_live_run(connection, run_id, owner)
    decided = signal_tables(run_id, record.time, record.signals)
    others = history_rows(run_id, record)
    candle = {"run_id": run_id, "time": int(record.time)}
    selected = and_(*(schema.candles.c[name] == value for name, value in candle.items()))
    if connection.execute(select(schema.candles.c.time).where(selected)).first() is not None:
        decided = _new_signals(connection, candle, decided, owner)
        others = {table: _new_rows(connection, table, rows, candle, owner) for table, rows in others.items()}
    else:
        connection.execute(insert(schema.candles), candle)
    for table, rows in (decided | others).items():
        if rows:
            connection.execute(insert(table), rows)
    for outcome in record.outcomes:
        _resolve(connection, run_id, outcome, int(record.time), owner)


def insert_histories(connection: Connection, run_id: int, records: Iterable[CandleRecord]) -> None:
    """The histories, drops and snapshots of a batch run; signals and outcomes of the records are left out.

    Each candle once in a call; candles of earlier calls may come again with other rows.
    """
    selected = select(schema.candles.c.time).where(schema.candles.c.run_id == run_id)
    known = {int(time) for time in connection.execute(selected).scalars()}
    rows: dict[Table, list[Row]] = {schema.candles: []}
    for record in records:
        if int(record.time) not in known:
            rows[schema.candles].append({"run_id": run_id, "time": int(record.time)})
        for table, new_rows in history_rows(run_id, record).items():
            rows.setdefault(table, []).extend(new_rows)
    for table, new_rows in rows.items():
        if new_rows:
            connection.execute(insert(table), new_rows)


def last_candle(connection: Connection, run_id: int) -> int | None:
    """The last candle of a live run, or None if it has none yet."""
    candles = schema.candles
    newest = select(candles.c.time).where(candles.c.run_id == run_id).order_by(candles.c.time.desc()).limit(1)
    time = connection.execute(newest).scalar_one_or_none()
    return None if time is None else int(time)


def _new_signals(
    connection: Connection, candle: Row, given: dict[Table, list[Row]], owner: str
) -> dict[Table, list[Row]]:
    """The rows of signals that are not there yet; the others must be the same, votes included."""
    stored = {table: _stored(connection, table, candle) for table in _DECIDED}
    known = {row["pair"] for row in stored[schema.signals]}
    for table in _DECIDED:
        old, new = _by_pair(stored[table]), _by_pair(given[table])
        for pair in known & {row["pair"] for row in given[schema.signals]}:
            if old.get(pair) != new.get(pair):
                _refuse(table, candle | {"pair": pair}, old.get(pair), new.get(pair), owner)
    return {table: [row for row in rows if row["pair"] not in known] for table, rows in given.items()}


def _new_rows(
    connection: Connection, table: Table, rows: Sequence[Row], candle: Row, owner: str
) -> list[Row]:
    """The rows that are not there yet; those that are must be the same."""
    if not rows:
        return []
    names = [column.name for column in table.primary_key]
    stored = {tuple(row[name] for name in names): row for row in _stored(connection, table, candle)}
    out = []
    for row in rows:
        old = stored.get(tuple(row[name] for name in names))
        if old is None:
            out.append(row)
        elif old != row:
            _refuse(table, {name: row[name] for name in names}, old, row, owner)
    return out


def _resolve(connection: Connection, run_id: int, outcome: OutcomeRow, known_at: int, owner: str) -> None:
    """Fill in an outcome, once."""
    table = schema.outcomes
    key = {"run_id": run_id, "time": int(outcome.time), "pair": outcome.pair}
    selected = and_(*(table.c[name] == value for name, value in key.items()))
    values: Row = {"r": float(outcome.r), "exit": outcome.exit, "time_resolved": int(outcome.time_resolved)}
    stored = connection.execute(select(*(table.c[name] for name in values)).where(selected)).one_or_none()
    if stored is None:
        raise CoordinatorError(
            "outcome", f"{owner}, {_shown(key)}", "belong to a written signal", tuple(outcome)
        )
    if stored.time_resolved is None:
        connection.execute(update(table).where(selected).values(values | {"known_at": known_at}))
    elif tuple(stored) != tuple(values.values()):
        _refuse(table, key, dict(stored._mapping), values, owner)


def _stored(connection: Connection, table: Table, candle: Row) -> list[Row]:
    selected = and_(*(table.c[name] == value for name, value in candle.items()))
    return [dict(row) for row in connection.execute(select(table).where(selected)).mappings()]


def _by_pair(rows: Sequence[Row]) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: str(row.get("component", ""))):
        out.setdefault(row["pair"], []).append(row)
    return out


def _shown(key: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in key.items())


def _refuse(table: Table, key: Row, old: Any, new: Any, owner: str) -> None:
    rule = f"stay as written ({_short(old)})"
    raise LedgerConflictError(table.name, f"{owner}, {_shown(key)}", rule, _Short(_short(new)))


def _short(row: Any) -> str:
    """A row as a message can show it: a learner's whole state is no reading."""
    text = repr(row)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


class _Short(str):
    """A text that is its own representation."""

    def __repr__(self) -> str:
        return str(self)
