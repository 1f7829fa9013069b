"""Signal quality is a vote like the others'."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the percentiles votes in the signals' direction, and drop their column; raw confidences were not kept."""
    op.execute(
        "INSERT INTO votes (run_id, time, pair, component, direction, percentile) "
        "SELECT d.run_id, d.time, d.pair, 'quality', s.direction, d.quality FROM decisions AS d "
        "JOIN signals AS s ON s.run_id = d.run_id AND s.time = d.time AND s.pair = d.pair "
        "WHERE d.quality IS NOT NULL"
    )
    with op.batch_alter_table("decisions") as table:
        table.drop_column("quality")
