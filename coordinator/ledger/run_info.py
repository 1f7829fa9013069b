"""What a run was, and its row in the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.column_types import plain_json

__all__ = ["RunInfo", "close_run", "lock_live_run", "open_run", "write_batch_run"]


@dataclass(frozen=True)
class RunInfo:
    """What a run was.

    Strategy and start together are a batch run's identity. A live run's is everything but the start.

    Attributes
    ----------
    strategy : str
        The strategy's class name.
    started_at : datetime.datetime
        Timezone-aware.
    timeframe : str
        E.g. ``"1h"``.
    settings : mapping
        The coordinator section as JSON types.
    model, identifier : str or None
        FreqAI's model class and identifier; None without FreqAI.
    bot : str
        Name of the bot, for live runs: two bots in one database must differ in it (or in something else).
    """

    strategy: str
    started_at: datetime
    timeframe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    identifier: str | None = None
    bot: str = ""

    def row(self) -> dict[str, Any]:
        """The values of the run's columns, without those of a live run.

        Raises
        ------
        CoordinatorError
            If the start carries no timezone.
        """
        if self.started_at.tzinfo is None:
            raise CoordinatorError(
                "started_at", f"the run of {self.strategy}", "carry a timezone", self.started_at
            )
        return {
            "strategy": self.strategy,
            "started_at": self.started_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "timeframe": self.timeframe,
            "settings": plain_json(dict(self.settings), f"the settings of {self.strategy}"),
            "model": self.model,
            "identifier": self.identifier,
            "bot": self.bot,
        }

    @property
    def identity(self) -> str:
        """SHA-256 of what a restart must share to continue a live run: all but the start.

        The settings are part of it: replaying a run gives its state only under the settings it ran with.
        """
        row = self.row()
        del row["started_at"]
        return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()


def write_batch_run(connection: Connection, info: RunInfo) -> int:
    """Insert the run, or clear the one of the same strategy and start; its id.

    Raises
    ------
    CoordinatorError
        If a live run has that strategy and start: it is never rewritten.
    """
    runs, values = schema.runs, info.row()
    same = and_(runs.c.strategy == values["strategy"], runs.c.started_at == values["started_at"])
    stored = connection.execute(select(runs.c.id, runs.c.kind).where(same)).one_or_none()
    if stored is None:
        return _insert(connection, values)
    if stored.kind == "live":
        rule = "be another run's: a live run is never rewritten"
        raise CoordinatorError("started_at", f"the run of {info.strategy}", rule, values["started_at"])
    for table in reversed(schema.metadata.sorted_tables):
        if "run_id" in table.c:
            connection.execute(delete(table).where(table.c.run_id == stored.id))
    connection.execute(update(runs).where(runs.c.id == stored.id).values(values))
    return int(stored.id)


def open_run(connection: Connection, info: RunInfo) -> int:
    """The open live run of the same identity, or a new one; its id.

    Raises
    ------
    CoordinatorError
        If another run has that strategy and start.
    """
    runs, identity, values = schema.runs, info.identity, info.row()
    still_open = and_(runs.c.identity == identity, runs.c.closed_at.is_(None))
    stored = connection.execute(select(runs.c.id).where(still_open)).scalar_one_or_none()
    if stored is not None:
        return int(stored)
    same = and_(runs.c.strategy == values["strategy"], runs.c.started_at == values["started_at"])
    if connection.execute(select(runs.c.id).where(same)).first() is not None:
        owner = f"the run of {info.strategy}"
        raise CoordinatorError("started_at", owner, "differ from every other run's", values["started_at"])
    return _insert(connection, values | {"kind": "live", "identity": identity})


def close_run(connection: Connection, run_id: int, at: datetime, owner: str) -> None:
    """End a live run: the next of its identity starts anew."""
    lock_live_run(connection, run_id, owner)
    connection.execute(update(schema.runs).where(schema.runs.c.id == run_id).values(closed_at=at))


def lock_live_run(connection: Connection, run_id: int, owner: str) -> None:
    """Keep other writers of the run out until the transaction ends (SQLite has no other writers anyway).

    Raises
    ------
    CoordinatorError
        If the run is not there, not live or closed.
    """
    runs = schema.runs
    query = select(runs.c.kind, runs.c.closed_at).where(runs.c.id == run_id).with_for_update()
    stored = connection.execute(query).one_or_none()
    if stored is None or stored.kind != "live" or stored.closed_at is not None:
        got = (
            "no such run" if stored is None else f"run {run_id}, {stored.kind}, closed at {stored.closed_at}"
        )
        raise CoordinatorError("run", owner, "be an open live run", got)


def _insert(connection: Connection, values: Mapping[str, Any]) -> int:
    inserted = connection.execute(insert(schema.runs).values(dict(values))).inserted_primary_key
    assert inserted is not None  # an INSERT of one row always has one
    return int(inserted[0])
