"""Live runs, real trades, histories of what was learned, and the model registry."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SIGNAL = ("run_id", "time", "pair")


def upgrade() -> None:
    """Extend runs and outcomes, add the tables, and drop the version mark that Alembic's replaces."""
    op.add_column("runs", sa.Column("kind", sa.String(8), nullable=False, server_default="batch"))
    op.add_column("runs", sa.Column("bot", sa.String(128), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("identity", sa.String(64)))
    op.add_column("runs", sa.Column("closed_at", sa.DateTime(timezone=True)))
    still_open = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_runs_open",
        "runs",
        ["identity"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.add_column("outcomes", sa.Column("known_at", sa.BigInteger))
    op.execute("UPDATE outcomes SET known_at = time_resolved")
    op.create_index("ix_outcomes_known_at", "outcomes", ["run_id", "known_at"])
    _live_tables()
    _history_tables()
    _model_tables()
    op.drop_table("schema_version")


def _live_tables() -> None:
    op.create_table("candles", *_key("time"))
    op.create_table(
        "trades",
        *_key("time", "pair"),
        sa.Column("direction", sa.SmallInteger, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("intended_price", sa.Double),
        sa.Column("filled_price", sa.Double),
        sa.Column("slippage", sa.Double),
        sa.Column("stake", sa.Double),
        sa.Column("fees", sa.Double),
        sa.Column("profit", sa.Double),
        sa.Column("r", sa.Double),
        sa.Column("exit_reason", sa.Text),
        sa.Column("tranches_planned", sa.Integer, nullable=False),
        sa.Column("tranches_filled", sa.Integer, nullable=False),
    )
    op.create_table(
        "learner_snapshots",
        *_key(),
        sa.Column("learner", sa.String(64), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("state", sa.JSON, nullable=False),
        _in_candle(),
    )


def _history_tables() -> None:
    op.create_table(
        "weight_history",
        *_key("time"),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("ml_weight", sa.Double),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        _in_candle(),
    )
    op.create_table(
        "vote_weight_history",
        *_key("time"),
        sa.Column("component", sa.String(16), primary_key=True),
        sa.Column("weight", sa.Double),
        _in_candle(),
    )
    op.create_table(
        "threshold_history",
        *_key("time", "pair"),
        sa.Column("threshold", sa.Double),
        sa.Column("reason", sa.Text, nullable=False),
        _in_candle(),
    )
    op.create_table(
        "drops",
        *_key("time", "pair"),
        sa.Column("component", sa.String(16), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        _in_candle(),
    )
    op.create_table(
        "improvements",
        *_key("time", "pair"),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("base", sa.Double),
        sa.Column("adjusted", sa.Double),
        _in_candle(),
    )


def _model_tables() -> None:
    op.create_table(
        "ml_feature_schemas",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
    )
    op.create_table(
        "ml_trade_features",
        *_key("time", "pair"),
        sa.Column("schema_id", sa.Integer, sa.ForeignKey("ml_feature_schemas.id"), nullable=False),
        sa.Column("features", sa.LargeBinary, nullable=False),
        _of("signals", *_SIGNAL),
    )
    op.create_table(
        "ml_models",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("trained_from", sa.BigInteger, nullable=False),
        sa.Column("trained_until", sa.BigInteger, nullable=False),
        sa.Column("label_horizon", sa.Integer, nullable=False),
        sa.Column("candle_seconds", sa.Integer, nullable=False),
        sa.Column("speaks_from", sa.BigInteger, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("file_hash", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.UniqueConstraint("name", "trained_until", "file_hash"),
    )
    op.create_table(
        "ml_champions",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("ml_models.id")),
        sa.Column("verdict", sa.Text, nullable=False),
    )
    op.create_table(
        "ml_predictions",
        sa.Column(
            "model_id", sa.Integer, sa.ForeignKey("ml_models.id"), primary_key=True, autoincrement=False
        ),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pair", sa.String(64), primary_key=True),
        sa.Column("values", sa.JSON, nullable=False),
    )


def _key(*names: str) -> list[sa.Column[Any]]:
    """run_id, and of time and pair the ones named."""
    columns: dict[str, sa.Column[Any]] = {
        "time": sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        "pair": sa.Column("pair", sa.String(64), primary_key=True),
    }
    run = sa.ForeignKey("runs.id")
    return [sa.Column("run_id", sa.Integer, run, primary_key=True, autoincrement=False)] + [
        columns[name] for name in names
    ]


def _in_candle() -> sa.ForeignKeyConstraint:
    return _of("candles", "run_id", "time")


def _of(table: str, *columns: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(columns, [f"{table}.{name}" for name in columns])
