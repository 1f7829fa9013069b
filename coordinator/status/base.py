"""What every view shares: a frozen model in JSON types, and numbers that are unknown as None."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from coordinator.reports.rolling.table import MetricTable, as_json

__all__ = [
    "Cell",
    "Figures",
    "UnknownPairError",
    "View",
    "figures",
    "iso",
    "known",
    "records",
    "unknown_pair",
]

Cell: TypeAlias = float | int | str | None


class UnknownPairError(LookupError):
    """Asked for a pair that neither the bot nor its ledger knows."""


class View(BaseModel):
    """A view; ``note`` says in words where there is nothing to show yet, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: str = Field("", description="why there is nothing yet; empty where there is something")


class Figures(BaseModel):
    """A table of figures: rows of named cells; null where a figure is undefined."""

    model_config = ConfigDict(frozen=True)

    title: str
    rows: list[dict[str, Cell]]


def figures(table: MetricTable) -> Figures:
    """A rolling table as a part of a view."""
    return Figures.model_validate(table.as_dict())


def known(value: object) -> float | None:
    """A finite number, rounded to 6 digits, or None.

    Examples
    --------
    >>> known(0.5), known(float("nan")), known(None), known("")
    (0.5, None, None, None)
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    cell = as_json(float(value))
    return round(float(cell), 6) if isinstance(cell, float) and math.isfinite(cell) else None


def iso(seconds: float | None) -> str | None:
    """A moment (seconds since the epoch) as ISO 8601 in UTC; None for none and for what is before 1970.

    Examples
    --------
    >>> iso(0), iso(None), iso(-1)
    ('1970-01-01T00:00:00Z', None, None)
    """
    if seconds is None or seconds < 0:
        return None
    return f"{datetime.fromtimestamp(int(seconds), tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def records(frame: pd.DataFrame) -> list[Any]:
    """Rows of a table as named tuples, of whatever types its columns have; times as seconds since the epoch."""
    seconds = {
        name: column.dt.as_unit("s").astype("int64")
        for name, column in frame.items()
        if isinstance(column.dtype, pd.DatetimeTZDtype) and column.notna().all()
    }
    return list(frame.assign(**{str(name): column for name, column in seconds.items()}).itertuples())


def unknown_pair(pair: str, pairs: Sequence[str]) -> UnknownPairError:
    """The error for a pair, naming those that there are."""
    return UnknownPairError(f"no such pair; known: {', '.join(pairs) or 'none yet'}")
