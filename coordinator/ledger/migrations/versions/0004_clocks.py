"""The clock that a signal was read on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; signals of before were read on hourly candles."""
    op.add_column("signals", sa.Column("clock", sa.String(4), nullable=False, server_default="1h"))
