"""Panel samples (``ml_panel_samples``): every pair at every candle of a clock, with what the price did next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, and_, bindparam, insert, select, update

from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureSchema, pack, schema_id, unpack
from coordinator.ledger.schema_models import ml_feature_schemas, ml_panel_samples
from coordinator.types import Floats, Times

__all__ = ["PanelTable", "panel_query", "panel_table", "write_panel"]

UNKNOWN = -1


@dataclass(frozen=True)
class PanelTable:
    """Panel samples of a clock, any order.

    Attributes
    ----------
    time : int64, shape (n,)
        Open of the last base candle in the clock's candle, seconds since the epoch.
    pair : object, shape (n,)
    values : float64, shape (n, features), NaN where unknown
    label : float64, shape (n,)
        Forward return in expected volatility; NaN while unknown.
    known_at : int64, shape (n,)
        Last candle that the label uses, -1 while unknown.
    """

    schema: FeatureSchema
    clock: str
    time: Times
    pair: npt.NDArray[np.object_]
    values: Floats
    label: Floats
    known_at: Times

    def __len__(self) -> int:
        return len(self.time)


def write_panel(connection: Connection, run_id: int, table: PanelTable, owner: str) -> int:
    """Add samples and fill in labels that have become known; how many rows are new.

    A sample that is there keeps its features: a bot's frame of another hour gives them within 1e-9.

    Raises
    ------
    CoordinatorError
        If the shapes do not fit.
    """
    if table.values.shape != (len(table), len(table.schema.names)):
        rule = f"be {len(table)} rows of {len(table.schema.names)}"
        raise CoordinatorError("panel samples", owner, rule, table.values.shape)
    if not len(table):
        return 0
    t, number = ml_panel_samples, schema_id(connection, table.schema)
    within = t.c.time.between(int(table.time.min()), int(table.time.max()))
    stored = {
        (row.time, row.pair): row.known_at is not None
        for row in connection.execute(
            select(t.c.time, t.c.pair, t.c.known_at).where(
                t.c.run_id == run_id, t.c.clock == table.clock, within
            )
        )
    }
    new: list[dict[str, Any]] = []
    learned: list[dict[str, Any]] = []
    rows = zip(
        table.time.tolist(), table.pair.tolist(), table.label.tolist(), table.known_at.tolist(), strict=True
    )
    packed = pack(table.values)
    for i, (time, pair, label, known_at) in enumerate(rows):
        is_known = known_at > UNKNOWN and label == label
        outcome = {"label": label if is_known else None, "known_at": known_at if is_known else None}
        resolved = stored.get((time, pair))
        if resolved is None:
            key = {"run_id": run_id, "time": time, "pair": pair, "clock": table.clock}
            new.append(key | {"schema_id": number, "features": packed[i]} | outcome)
        elif not resolved and is_known:
            learned.append({"of_time": time, "of_pair": pair} | outcome)
    if new:
        connection.execute(insert(t), new)
    if learned:
        own = and_(t.c.run_id == run_id, t.c.clock == table.clock)
        this = and_(own, t.c.time == bindparam("of_time"), t.c.pair == bindparam("of_pair"))
        connection.execute(update(t).where(this), learned)
    return len(new)


def panel_query(schema: FeatureSchema, clock: str) -> Select[Any]:
    """All runs' samples of a clock in a schema: run_id, time, pair, features, label, known_at."""
    t = ml_panel_samples
    query = select(t.c.run_id, t.c.time, t.c.pair, t.c.features, t.c.label, t.c.known_at)
    query = query.join(ml_feature_schemas, ml_feature_schemas.c.id == t.c.schema_id)
    return query.where(ml_feature_schemas.c.hash == schema.hash, t.c.clock == clock)


def panel_table(schema: FeatureSchema, clock: str, rows: list[Any]) -> PanelTable:
    """Rows of ``panel_query`` as one table, each pair and time once: a known label first, then the newest run's."""
    best: dict[tuple[int, str], Any] = {}
    for row in sorted(rows, key=lambda row: (row.known_at is not None, row.run_id)):
        best[row.time, row.pair] = row
    chosen = [best[key] for key in sorted(best)]
    return PanelTable(
        schema=schema,
        clock=clock,
        time=np.array([row.time for row in chosen], dtype=np.int64),
        pair=np.array([row.pair for row in chosen], dtype=object),
        values=unpack([row.features for row in chosen], len(schema.names)),
        label=np.array([np.nan if row.label is None else row.label for row in chosen], dtype=np.float64),
        known_at=np.array(
            [UNKNOWN if row.known_at is None else row.known_at for row in chosen], dtype=np.int64
        ),
    )
