"""Checking a ledger: the database's own checks, and that what belongs together is there."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, func, or_, select, text

from coordinator.ledger import schema
from coordinator.ledger.schema import metadata

__all__ = ["problems"]

_KEY = ("run_id", "time", "pair")


def problems(connection: Connection) -> list[str]:
    """What is wrong with a ledger, one line each; empty if nothing is.

    Checked are the file (SQLite's ``integrity_check``), every foreign key, that each signal has its decision and
    its outcome row and each signal of a live run its candle, and that outcomes are whole.
    """
    problems = [*_file_problems(connection), *_orphans(connection)]
    for table in (schema.decisions, schema.outcomes):
        count = _count(connection, schema.signals, ~_matching(schema.signals, table, _KEY))
        if count:
            problems.append(f"{count} signals have no row in {table.name}")
    live = schema.signals.c.run_id.in_(select(schema.runs.c.id).where(schema.runs.c.kind == "live"))
    homeless = and_(live, ~_matching(schema.signals, schema.candles, ("run_id", "time")))
    if count := _count(connection, schema.signals, homeless):
        problems.append(f"{count} signals of live runs have no candle")
    if count := _count(connection, schema.outcomes, _half_resolved()):
        problems.append(f"{count} outcomes are resolved in part")
    return problems


def _file_problems(connection: Connection) -> list[str]:
    if connection.dialect.name != "sqlite":
        return []
    rows = [str(row[0]) for row in connection.execute(text("PRAGMA integrity_check"))]
    return [] if rows == ["ok"] else rows


def _orphans(connection: Connection) -> list[str]:
    """Rows whose foreign key leads nowhere; asked of the data, as a database may have been told not to look."""
    problems = []
    for table in metadata.sorted_tables:
        for key in table.foreign_key_constraints:
            parent = key.referred_table
            pairs = [(element.parent, element.column) for element in key.elements]
            has_parent = exists(select(1).where(and_(*(column == other for column, other in pairs))))
            known = and_(*(column.is_not(None) for column, _ in pairs))
            if count := _count(connection, table, and_(known, ~has_parent.correlate(table))):
                problems.append(f"{count} rows of {table.name} have no row in {parent.name}")
    return problems


def _half_resolved() -> ColumnElement[bool]:
    o = schema.outcomes.c
    parts = (o.r, o.exit, o.time_resolved, o.known_at)
    some = or_(*(part.is_not(None) for part in parts))
    return and_(some, or_(*(part.is_(None) for part in parts)))


def _matching(table: Table, other: Table, names: tuple[str, ...]) -> ColumnElement[bool]:
    same = and_(*(table.c[name] == other.c[name] for name in names))
    return exists(select(1).select_from(other).where(same)).correlate(table)


def _count(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())
