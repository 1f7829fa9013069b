"""Tables of signal features, models and their predictions, beside :mod:`coordinator.ledger.schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from coordinator.ledger.column_types import ExactJson
from coordinator.ledger.schema import foreign_key, key_columns, metadata

__all__ = ["ml_champions", "ml_feature_schemas", "ml_models", "ml_predictions", "ml_trade_features"]

# What the numbers of a packed row are.
ml_feature_schemas = Table(
    "ml_feature_schemas",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", String(32), nullable=False),
    Column("names", ExactJson(), nullable=False),
    Column("hash", String(64), nullable=False, unique=True, doc="SHA-256 of version and names"),
)

ml_trade_features = Table(
    "ml_trade_features",
    metadata,
    *key_columns("time", "pair"),
    Column("schema_id", Integer, ForeignKey("ml_feature_schemas.id"), nullable=False),
    Column(
        "features", LargeBinary, nullable=False, doc="float64, little-endian, in the schema's order; NaN kept"
    ),
    foreign_key("signals", "run_id", "time", "pair"),
)

ml_models = Table(
    "ml_models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, doc="what it is for; champion and challengers share it"),
    Column("kind", String(32), nullable=False, doc="e.g. lightgbm, xgboost, lstm"),
    Column("trained_from", BigInteger, nullable=False, doc="first candle it has seen"),
    Column("trained_until", BigInteger, nullable=False, doc="last candle it has seen, without its label's"),
    Column("label_horizon", Integer, nullable=False, doc="candles"),
    Column("candle_seconds", Integer, nullable=False),
    Column("speaks_from", BigInteger, nullable=False, doc="first candle it may speak for"),
    Column("features", ExactJson(), nullable=False, doc="names, version and hash"),
    Column("metrics", ExactJson(), nullable=False),
    Column("file", Text, nullable=False),
    Column("file_hash", String(64), nullable=False, doc="SHA-256"),
    Column("status", String(16), nullable=False, doc="as of now: challenger, champion or retired"),
    Column("verdict", Text, nullable=False, doc="why it has that status"),
    UniqueConstraint("name", "trained_until", "file_hash"),
)

# Who was champion from when on, in candle time; never changed, only continued. NULL: nobody.
ml_champions = Table(
    "ml_champions",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("model_id", Integer, ForeignKey("ml_models.id")),
    Column("verdict", Text, nullable=False),
)

ml_predictions = Table(
    "ml_predictions",
    metadata,
    Column("model_id", ForeignKey("ml_models.id"), primary_key=True, autoincrement=False),
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("pair", String(64), primary_key=True),
    Column("values", ExactJson(), nullable=False),
)
