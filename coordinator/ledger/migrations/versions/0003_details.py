"""How a decision came about: quality, ML score, calibrated expectation, tactic, phase and pilot arm."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; decisions made before have none of them."""
    for name in ("quality", "ml_score", "ml_rank", "win_probability", "expected_r"):
        op.add_column("decisions", sa.Column(name, sa.Double))
    for name, length in (("tactic", 32), ("phase", 16), ("arm", 8)):
        op.add_column("decisions", sa.Column(name, sa.String(length)))
