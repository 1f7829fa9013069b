"""Signals, votes, decisions and outcomes: the schema before Alembic, known by its schema_version table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SIGNAL = ("run_id", "time", "pair")


def upgrade() -> None:
    """Create the five tables and the old version mark, which tells later versions that this one was here."""
    version = op.create_table("schema_version", sa.Column("version", sa.Integer, primary_key=True))
    op.bulk_insert(version, [{"version": 1}])
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("strategy", sa.String(128), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("timeframe", sa.String(8), nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("model", sa.String(128)),
        sa.Column("identifier", sa.String(128)),
        sa.UniqueConstraint("strategy", "started_at"),
    )
    op.create_table(
        "signals",
        *_key(),
        sa.Column("direction", sa.SmallInteger, nullable=False),
        sa.Column("price", sa.Double),
        sa.Column("stop", sa.Double),
        sa.Column("target", sa.Double),
        sa.Column("horizon", sa.Integer, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
    )
    op.create_table(
        "votes",
        *_key(),
        sa.Column("component", sa.String(16), primary_key=True),
        sa.Column("direction", sa.SmallInteger),
        sa.Column("confidence", sa.Double),
        sa.Column("percentile", sa.Double),
        _of_signal(),
    )
    op.create_table(
        "decisions",
        *_key(),
        sa.Column("unified_score", sa.Double),
        sa.Column("unified_confidence", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("ml_weight", sa.Double),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("rejection", sa.Text),
        _of_signal(),
    )
    op.create_table(
        "outcomes",
        *_key(),
        sa.Column("r", sa.Double),
        sa.Column("exit", sa.String(16)),
        sa.Column("time_resolved", sa.BigInteger),
        _of_signal(),
    )


def _key() -> list[sa.Column[int] | sa.Column[str]]:
    run = sa.ForeignKey("runs.id")
    return [
        sa.Column("run_id", sa.Integer, run, primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pair", sa.String(64), primary_key=True),
    ]


def _of_signal() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(_SIGNAL, [f"signals.{name}" for name in _SIGNAL])
