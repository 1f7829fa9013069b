"""Tables of signal features, models and their predictions, beside :mod:`coordinator.ledger.schema`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from coordinator.ledger.column_types import ExactJson, UtcDateTime
from coordinator.ledger.schema import foreign_key, key_columns, metadata

__all__ = [
    "metric_history",
    "ml_champions",
    "ml_feature_schemas",
    "ml_learning_events",
    "ml_models",
    "ml_panel_samples",
    "ml_predictions",
    "ml_trade_features",
]

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

# Every pair at every candle of a clock, which a panel model learns from (quality.samples "panel").
ml_panel_samples = Table(
    "ml_panel_samples",
    metadata,
    *key_columns("time", "pair"),
    Column("clock", String(4), primary_key=True),
    Column("schema_id", Integer, ForeignKey("ml_feature_schemas.id"), nullable=False),
    Column(
        "features", LargeBinary, nullable=False, doc="float64, little-endian, in the schema's order; NaN kept"
    ),
    Column("label", Double, doc="forward return in expected volatility; NULL while unknown"),
    Column("known_at", BigInteger, doc="last candle that the label uses; NULL while unknown"),
)

# What was done with the models of a name, by whom it concerns: trained, drift, evaluated, rollback.
ml_learning_events = Table(
    "ml_learning_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, doc="as ml_models.name"),
    Column("kind", String(16), nullable=False, doc="trained, drift, evaluated or rollback"),
    Column("at", UtcDateTime(), nullable=False, doc="when it was done"),
    Column("time_from", BigInteger, doc="first candle that was looked at"),
    Column("time_until", BigInteger, doc="last candle that was looked at"),
    Column("model_id", Integer, ForeignKey("ml_models.id"), doc="NULL where no model came of it"),
    Column("sentence", Text, nullable=False),
    Column("figures", ExactJson(), nullable=False),
)

# Metrics of spec 001 and 003 over the 30 days before a day.
metric_history = Table(
    "metric_history",
    metadata,
    *key_columns("time"),
    Column("arm", String(16), primary_key=True, doc="ml, baseline or all"),
    Column("metric", String(48), primary_key=True),
    Column("subject", String(64), primary_key=True, doc="pair, model, regime or improvement; empty for all"),
    Column("value", Double, doc="NULL where it is undefined"),
)
