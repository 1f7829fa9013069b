"""Panel samples, what was done with models, and metrics over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "ml_panel_samples",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pair", sa.String(64), primary_key=True),
        sa.Column("clock", sa.String(4), primary_key=True),
        sa.Column("schema_id", sa.Integer, sa.ForeignKey("ml_feature_schemas.id"), nullable=False),
        sa.Column("features", sa.LargeBinary, nullable=False),
        sa.Column("label", sa.Double),
        sa.Column("known_at", sa.BigInteger),
    )
    op.create_table(
        "ml_learning_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_from", sa.BigInteger),
        sa.Column("time_until", sa.BigInteger),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("ml_models.id")),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
    )
    op.create_table(
        "metric_history",
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("arm", sa.String(16), primary_key=True),
        sa.Column("metric", sa.String(48), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("value", sa.Double),
    )
