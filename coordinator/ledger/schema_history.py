"""Tables of what was traded for real and of what the learners went through, beside :mod:`coordinator.ledger.schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from coordinator.ledger.column_types import ExactJson, UtcDateTime
from coordinator.ledger.schema import foreign_key, key_columns, metadata

__all__ = [
    "drops",
    "improvements",
    "learner_snapshots",
    "threshold_history",
    "trades",
    "vote_weight_history",
    "weight_history",
]


def _in_candle() -> ForeignKeyConstraint:
    return foreign_key("candles", "run_id", "time")


# Real fills. No foreign key to the signal: a trade that was forced by hand has none.
trades = Table(
    "trades",
    metadata,
    *key_columns("time", "pair"),
    Column("direction", SmallInteger, nullable=False, doc="+1 long, -1 short"),
    Column("opened_at", UtcDateTime(), nullable=False),
    Column("closed_at", UtcDateTime(), doc="NULL while open"),
    Column("intended_price", Double, doc="price the decision was made at"),
    Column("filled_price", Double, doc="mean entry price; NULL if nothing filled"),
    Column("slippage", Double, doc="ratio, positive where the fill was worse than intended"),
    Column("stake", Double, doc="stake currency"),
    Column("fees", Double, doc="stake currency"),
    Column("profit", Double, doc="stake currency, after fees"),
    Column("r", Double, doc="profit in units of the initial risk, after fees"),
    Column("exit_reason", Text),
    Column("intended_exit_price", Double, doc="price the last exit was ordered at; NULL while open"),
    Column("exit_price", Double, doc="price the last exit was filled at; NULL while open"),
    Column("exit_slippage", Double, doc="ratio, positive where the exit was filled worse than intended"),
    Column("tranches_planned", Integer, nullable=False),
    Column("tranches_filled", Integer, nullable=False),
)

learner_snapshots = Table(
    "learner_snapshots",
    metadata,
    *key_columns(),
    Column("learner", String(64), primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False, doc="candle after which this was so"),
    Column("state", ExactJson(), nullable=False),
    _in_candle(),
)

weight_history = Table(
    "weight_history",
    metadata,
    *key_columns("time"),
    Column("phase", String(16), nullable=False),
    Column("ml_weight", Double, doc="0..0.7"),
    Column("reason", Text, nullable=False),
    Column("metrics", ExactJson(), nullable=False),
    _in_candle(),
)

vote_weight_history = Table(
    "vote_weight_history",
    metadata,
    *key_columns("time"),
    Column("component", String(16), primary_key=True),
    Column("weight", Double, doc="0..1"),
    _in_candle(),
)

threshold_history = Table(
    "threshold_history",
    metadata,
    *key_columns("time", "pair"),
    Column("threshold", Double, doc="0..1"),
    Column("reason", Text, nullable=False),
    _in_candle(),
)

# A component that was absent where it should have spoken.
drops = Table(
    "drops",
    metadata,
    *key_columns("time", "pair"),
    Column("component", String(16), primary_key=True),
    Column("reason", Text, nullable=False),
    _in_candle(),
)

improvements = Table(
    "improvements",
    metadata,
    *key_columns("time", "pair"),
    Column("name", String(64), primary_key=True),
    Column("mode", String(8), nullable=False, doc="shadow or on"),
    Column("base", Double, doc="the value without the improvement"),
    Column("adjusted", Double, doc="the value with it; in shadow mode it had no effect"),
    _in_candle(),
)
