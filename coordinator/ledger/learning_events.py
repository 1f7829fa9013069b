"""What was done with the models of a name: trained, evaluated, checked for drift, rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select

from coordinator.ledger.schema_models import ml_learning_events
from coordinator.ledger.store import Ledger

__all__ = ["EventKind", "LearningEvent", "add_event", "insert_event", "learning_events"]

EventKind = Literal["trained", "drift", "evaluated", "rollback"]


@dataclass(frozen=True)
class LearningEvent:
    """Something that was done.

    Attributes
    ----------
    name : str
        As in the registry, e.g. ``"signal_quality"``.
    at : datetime.datetime
        When, timezone-aware.
    time_from, time_until : int or None
        First and last candle that was looked at, seconds.
    model_id : int or None
    figures : mapping, JSON types
    """

    name: str
    kind: EventKind
    at: datetime
    sentence: str
    time_from: int | None = None
    time_until: int | None = None
    model_id: int | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


def add_event(ledger: Ledger, event: LearningEvent) -> None:
    """Append an event."""
    with ledger.database.write(create=True) as connection:
        insert_event(connection, event)


def insert_event(connection: Connection, event: LearningEvent) -> None:
    """Append an event in a transaction that does more."""
    connection.execute(insert(ml_learning_events).values(vars(event)))


def learning_events(ledger: Ledger, name: str, kind: EventKind | None = None) -> list[LearningEvent]:
    """Events of a name, the oldest first."""
    table = ml_learning_events
    query = select(table).where(table.c.name == name).order_by(table.c.id)
    if kind is not None:
        query = query.where(table.c.kind == kind)
    with ledger.database.read() as connection:
        rows = connection.execute(query).mappings().all()
    return [LearningEvent(**{key: row[key] for key in LearningEvent.__dataclass_fields__}) for row in rows]
