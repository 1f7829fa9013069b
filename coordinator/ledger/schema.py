"""Tables of the decision ledger, in types that SQLite and PostgreSQL share.

Candle times are whole seconds since 1970-01-01 UTC, so they are the same integer in every database. Where a
number is unknown the column is NULL, never NaN.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "COMPONENTS",
    "SCHEMA_VERSION",
    "decisions",
    "metadata",
    "outcomes",
    "runs",
    "schema_version",
    "signals",
    "votes",
]

SCHEMA_VERSION: Final = 1
COMPONENTS: Final = ("technical", "lstm", "fusion", "selector", "attention")

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

# A run is known by its strategy and the moment it started: written again, it replaces itself.
runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("strategy", String(128), nullable=False),
    Column("started_at", String(32), nullable=False, doc="UTC, ISO 8601 with microseconds; sorts by time"),
    Column("timeframe", String(8), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("model", String(128), doc="FreqAI model class, NULL without FreqAI"),
    Column("identifier", String(128), doc="FreqAI identifier, NULL without FreqAI"),
    UniqueConstraint("strategy", "started_at"),
)


def _key() -> list[Column[int] | Column[str]]:
    """(run, pair, time): what every row about a signal is known by."""
    return [
        Column("run_id", ForeignKey("runs.id"), primary_key=True, autoincrement=False),
        Column("time", BigInteger, primary_key=True, autoincrement=False, doc="open of the signal's candle"),
        Column("pair", String(64), primary_key=True),
    ]


def _of_signal() -> ForeignKeyConstraint:
    columns = ("run_id", "time", "pair")
    return ForeignKeyConstraint(columns, [f"signals.{name}" for name in columns])


signals = Table(
    "signals",
    metadata,
    *_key(),
    Column("direction", SmallInteger, nullable=False, doc="+1 long, -1 short"),
    Column("price", Double),
    Column("stop", Double),
    Column("target", Double),
    Column("horizon", Integer, nullable=False, doc="candles"),
    Column("reasons", Text, nullable=False),
)

# A component that did not vote on a signal has no row.
votes = Table(
    "votes",
    metadata,
    *_key(),
    Column("component", String(16), primary_key=True),
    Column("direction", SmallInteger, doc="+1, -1, 0 hold"),
    Column("confidence", Double, doc="0..1 on the component's own scale"),
    Column("percentile", Double, doc="0..1 on the common scale"),
    _of_signal(),
)

decisions = Table(
    "decisions",
    metadata,
    *_key(),
    Column("unified_score", Double),
    Column("unified_confidence", Double, doc="0..1"),
    Column("threshold", Double, doc="0..1"),
    Column("ml_weight", Double, doc="0..0.7"),
    Column("accepted", Boolean, nullable=False),
    Column("rejection", Text, doc="NULL where accepted"),
    _of_signal(),
)

outcomes = Table(
    "outcomes",
    metadata,
    *_key(),
    Column("r", Double, doc="profit in units of the initial risk after costs; NULL while unresolved"),
    Column("exit", String(16), doc="target, stop or horizon; NULL while unresolved"),
    Column("time_resolved", BigInteger, doc="open of the candle that resolved it"),
    _of_signal(),
)
