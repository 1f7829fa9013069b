"""Making a ledger smaller: old samples and predictions, and backtests that nobody looks at any more."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from coordinator.ledger import schema
from coordinator.ledger.samples.copying import delete_batch_run
from coordinator.ledger.schema_models import ml_panel_samples, ml_predictions, ml_trade_features
from coordinator.ledger.store import Ledger

__all__ = ["prune"]

_SAMPLES = (ml_trade_features, ml_panel_samples, ml_predictions)


def prune(
    ledger: Ledger, before: int | None = None, keep_runs: int | None = None, *, dry_run: bool = False
) -> dict[str, int]:
    """Delete and give the space back; how many rows of which table went, or would go.

    A bot's run, its decisions and outcomes and the models stay whatever is asked for: they are what it learned from.

    Parameters
    ----------
    before : features, panel samples and predictions of candles before this time (seconds) go
    keep_runs : of the backtests, the samples of ``quality accumulate`` among them, only so many newest ones stay
    dry_run : only count
    """
    gone: dict[str, int] = {}
    with ledger.database.write() as connection:
        if before is not None:
            for table in _SAMPLES:
                gone[table.name] = _count(connection, table, table.c.time < before)
                if not dry_run:
                    connection.execute(delete(table).where(table.c.time < before))
        if keep_runs is not None:
            runs = schema.runs
            newest_first = runs.c.started_at.desc(), runs.c.id.desc()
            query = select(runs.c.id).where(runs.c.kind == "batch").order_by(*newest_first)
            old = [int(run_id) for run_id in connection.execute(query).scalars()][keep_runs:]
            gone["runs"] = len(old)
            for run_id in old if not dry_run else ():
                delete_batch_run(connection, run_id)
    if not dry_run:
        ledger.database.vacuum()
    return gone


def _count(connection: Connection, table: Table, where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(where)).scalar_one())
