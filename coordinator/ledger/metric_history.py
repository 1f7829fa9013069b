"""The metrics of a run over time: the table ``metric_history``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Connection, bindparam, delete, insert, select

from coordinator.ledger.schema_models import metric_history

__all__ = ["MetricRow", "metric_frame", "write_metrics"]

COLUMNS = ("time", "arm", "metric", "subject", "value")


class MetricRow(NamedTuple):
    """A metric's value at the end of a day.

    Attributes
    ----------
    time : the midnight at which its days end, seconds since the epoch
    arm : "ml", "baseline" or "all"
    metric : its name
    subject : pair, model or regime; empty for the whole
    value : NaN where it is undefined; infinite as it is
    """

    time: int
    arm: str
    metric: str
    subject: str
    value: float


def write_metrics(connection: Connection, run_id: int, rows: Iterable[MetricRow]) -> int:
    """Write rows of a run and return their number; a day that is there already is replaced as a whole."""
    values: list[dict[str, Any]] = [
        row._asdict() | {"run_id": run_id, "value": None if math.isnan(row.value) else float(row.value)}
        for row in rows
    ]
    if not values:
        return 0
    table = metric_history
    one_day = delete(table).where(table.c.run_id == run_id, table.c.time == bindparam("day"))
    connection.execute(one_day, [{"day": time} for time in sorted({row["time"] for row in values})])
    connection.execute(insert(table), values)
    return len(values)


def metric_frame(connection: Connection, run_id: int, metric: str | None = None) -> pd.DataFrame:
    """The stored metrics of a run, or one of them, sorted by time, arm, metric and subject.

    Returns
    -------
    pandas.DataFrame
        time (``datetime64[us, UTC]``), arm, metric, subject, value (float64, NaN where undefined).
    """
    table = metric_history
    query = select(*(table.c[name] for name in COLUMNS)).where(table.c.run_id == run_id)
    if metric is not None:
        query = query.where(table.c.metric == metric)
    rows = [tuple(row) for row in connection.execute(query.order_by(*(table.c[n] for n in COLUMNS[:-1])))]
    frame = pd.DataFrame.from_records(rows, columns=list(COLUMNS))
    time = pd.to_datetime(frame["time"].astype("int64"), unit="s", utc=True).dt.as_unit("us")
    return frame.assign(time=time, value=frame["value"].astype("float64"))
