"""Copying a run's samples into another ledger: signals with what was decided, became of them and was known."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Table, delete, insert, select

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.feature_store import FeatureSchema, schema_id
from coordinator.ledger.schema_models import ml_feature_schemas, ml_panel_samples, ml_trade_features
from coordinator.ledger.store import Ledger

__all__ = ["copy_samples", "labelled_runs"]

_TABLES: Final = (
    schema.signals,
    schema.votes,
    schema.decisions,
    schema.outcomes,
    ml_trade_features,
    ml_panel_samples,
)


def labelled_runs(ledger: Ledger, prefix: str) -> dict[str, int]:
    """Batch runs by the label that ``copy_samples`` gave them, those whose label begins so; none without a ledger."""
    if not ledger.database.exists:
        return {}
    runs = schema.runs
    query = select(runs.c.bot, runs.c.id).where(runs.c.kind == "batch", runs.c.bot.startswith(prefix))
    with ledger.database.read() as connection:
        return {label: int(run_id) for label, run_id in connection.execute(query)}


def copy_samples(
    source: Ledger, run_id: int, target: Ledger, label: str, begin: int, end: int, replaces: int | None = None
) -> int:
    """Copy the samples of [begin, end), seconds, of a run, in one transaction; the id of the copy.

    Parameters
    ----------
    label : the copy's ``bot``, by which ``labelled_runs`` finds it
    replaces : a batch run of the target that goes in the same transaction

    Raises
    ------
    CoordinatorError
        If the source has no such run.
    """
    with source.database.read() as connection:
        run = connection.execute(select(schema.runs).where(schema.runs.c.id == run_id)).mappings().first()
        if run is None:
            raise CoordinatorError("run", source.database.name, "exist", run_id)
        rows = {table: _rows(connection, table, run_id, begin, end) for table in _TABLES}
        stored = connection.execute(select(ml_feature_schemas)).mappings().all()
    schemas = {row["id"]: FeatureSchema(row["version"], tuple(row["names"])) for row in stored}
    with target.database.write(create=True) as connection:
        if replaces is not None:
            delete_batch_run(connection, replaces)
        values = {name: value for name, value in run.items() if name != "id"} | {"bot": label}
        inserted = connection.execute(insert(schema.runs).values(values)).inserted_primary_key
        assert inserted is not None  # an INSERT of one row always has one
        numbers = {old: schema_id(connection, own) for old, own in schemas.items()}
        for table, found in rows.items():
            for row in found:
                row["run_id"] = int(inserted[0])
                if "schema_id" in row:
                    row["schema_id"] = numbers[row["schema_id"]]
            if found:
                connection.execute(insert(table), found)
    return int(inserted[0])


def delete_batch_run(connection: Connection, run_id: int) -> None:
    """A batch run with everything that belongs to it; a live one stays."""
    runs = schema.runs
    known = connection.execute(select(runs.c.kind).where(runs.c.id == run_id)).scalar_one_or_none()
    if known != "batch":
        return
    for table in reversed(schema.metadata.sorted_tables):
        if "run_id" in table.c:
            connection.execute(delete(table).where(table.c.run_id == run_id))
    connection.execute(delete(runs).where(runs.c.id == run_id))


def _rows(connection: Connection, table: Table, run_id: int, begin: int, end: int) -> list[dict[str, Any]]:
    within = (table.c.run_id == run_id, table.c.time >= begin, table.c.time < end)
    return [dict(row) for row in connection.execute(select(table).where(*within)).mappings()]
