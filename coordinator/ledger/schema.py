"""Tables of the decision ledger, in types that SQLite and PostgreSQL share: what was decided and what became of it.

Candle times are whole seconds since 1970-01-01 UTC, so they are the same integer in every database; moments that
are no candle's are :class:`~coordinator.ledger.column_types.UtcDateTime`. Where a number is unknown the column is
NULL, never NaN. A change here needs a migration (``migrations/versions``); a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from coordinator.ledger.column_types import UtcDateTime
from coordinator.settings.decision import COMPONENTS

__all__ = [
    "COMPONENTS",
    "candles",
    "decisions",
    "foreign_key",
    "key_columns",
    "metadata",
    "outcomes",
    "runs",
    "signals",
    "votes",
]

metadata = MetaData()

_STILL_OPEN = text("closed_at IS NULL")

# A batch run is known by its strategy and the moment it started: written again, it replaces itself. A live run is
# known by its identity as long as it is open, so that a restarted bot continues it.
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
    Column("kind", String(8), nullable=False, server_default="batch", doc="batch or live"),
    Column("bot", String(128), nullable=False, server_default="", doc="keeps two bots of one database apart"),
    Column("identity", String(64), doc="SHA-256 of what a restart must share, NULL for a batch"),
    Column("closed_at", UtcDateTime(), doc="NULL while a live run is open"),
    UniqueConstraint("strategy", "started_at"),
    Index("ix_runs_open", "identity", unique=True, sqlite_where=_STILL_OPEN, postgresql_where=_STILL_OPEN),
)


def key_columns(*names: str) -> list[Column[int] | Column[str]]:
    """The run, and of time and pair the named ones: what every row of a run is known by."""
    columns: dict[str, Column[int] | Column[str]] = {
        "time": Column(
            "time", BigInteger, primary_key=True, autoincrement=False, doc="open of the signal's candle"
        ),
        "pair": Column("pair", String(64), primary_key=True),
    }
    run: Column[int] = Column("run_id", ForeignKey("runs.id"), primary_key=True, autoincrement=False)
    return [run, *(columns[name] for name in names)]


def foreign_key(table: str, *columns: str) -> ForeignKeyConstraint:
    """A foreign key to the columns of the same names."""
    return ForeignKeyConstraint(columns, [f"{table}.{name}" for name in columns])


def _of_signal() -> ForeignKeyConstraint:
    return foreign_key("signals", "run_id", "time", "pair")


# The candles a live run has gone through, also those without a signal. The rows of a candle are committed with it.
candles = Table("candles", metadata, *key_columns("time"))

signals = Table(
    "signals",
    metadata,
    *key_columns("time", "pair"),
    Column("direction", SmallInteger, nullable=False, doc="+1 long, -1 short"),
    Column("price", Double),
    Column("stop", Double),
    Column("target", Double),
    Column("horizon", Integer, nullable=False, doc="candles of the clock"),
    Column("clock", String(4), nullable=False, server_default="1h", doc="timeframe the baseline was read on"),
    Column("reasons", Text, nullable=False),
)

# A component that did not vote on a signal has no row.
votes = Table(
    "votes",
    metadata,
    *key_columns("time", "pair"),
    Column("component", String(16), primary_key=True),
    Column("direction", SmallInteger, doc="+1, -1, 0 hold"),
    Column("confidence", Double, doc="0..1 on the component's own scale"),
    Column("percentile", Double, doc="0..1 on the common scale"),
    _of_signal(),
)

decisions = Table(
    "decisions",
    metadata,
    *key_columns("time", "pair"),
    Column("unified_score", Double),
    Column("unified_confidence", Double, doc="0..1"),
    Column("threshold", Double, doc="0..1"),
    Column("ml_weight", Double, doc="0..0.7"),
    Column("accepted", Boolean, nullable=False),
    Column("rejection", Text, doc="NULL where accepted"),
    Column("ml_score", Double, doc="0..1, weighted mean of the ML components present"),
    Column("ml_rank", Double, doc="0..1, its percentile"),
    Column("win_probability", Double, doc="0..1, calibrated"),
    Column("expected_r", Double, doc="R after costs, calibrated"),
    Column("tactic", String(32), doc="the selector's choice"),
    Column("phase", String(16), doc="of the ML weight; NULL with a fixed one"),
    Column("arm", String(8), doc="blend or baseline in the pilot phase"),
    Column("regime", String(32), doc="the pair's regime and volatility level, of signals.regime.STATES"),
    _of_signal(),
)

outcomes = Table(
    "outcomes",
    metadata,
    *key_columns("time", "pair"),
    Column("r", Double, doc="profit in units of the initial risk after costs; NULL while unresolved"),
    Column("exit", String(16), doc="target, stop, horizon or exit; NULL while unresolved"),
    Column("time_resolved", BigInteger, doc="open of the candle that resolved it"),
    Column("known_at", BigInteger, doc="candle at which the run learned it; NULL while unresolved"),
    _of_signal(),
    Index("ix_outcomes_known_at", "run_id", "known_at"),
)
