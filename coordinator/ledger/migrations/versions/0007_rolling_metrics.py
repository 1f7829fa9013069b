"""What the metrics over time need: the market's regime at a signal, and what an exit should have been filled at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; decisions and trades of before have none of them."""
    op.add_column("decisions", sa.Column("regime", sa.String(32)))
    for name in ("intended_exit_price", "exit_price", "exit_slippage"):
        op.add_column("trades", sa.Column(name, sa.Double))
