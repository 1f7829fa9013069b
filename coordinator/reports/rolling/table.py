"""A table of numbers that can be printed, drawn in the report and sent as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coordinator.reports.texts import UNDEFINED, number, percent

__all__ = ["Cell", "MetricTable", "Rows", "as_json", "as_text"]

Cell = float | int | str
Rows = list[tuple[str, list[Cell]]]


@dataclass(frozen=True)
class MetricTable:
    """A table.

    Attributes
    ----------
    title : str
    head : sequence of str
        The first names the rows.
    units : sequence of str
        Of the columns behind the first: "percent" (a ratio), "number", "count", "minutes", "ms" or "text".
    rows : sequence of (name, cells)
        Numbers; NaN where one is undefined.
    """

    title: str
    head: Sequence[str]
    units: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]

    def texts(self) -> list[tuple[str, list[str]]]:
        """The rows as they are printed."""
        return [
            (name, [as_text(cell, unit) for cell, unit in zip(cells, self.units, strict=True)])
            for name, cells in self.rows
        ]

    def as_dict(self) -> dict[str, Any]:
        """JSON types; a number that is undefined or infinite is None."""
        rows = [
            {
                self.head[0]: name,
                **{key: as_json(cell) for key, cell in zip(self.head[1:], cells, strict=True)},
            }
            for name, cells in self.rows
        ]
        return {"title": self.title, "rows": rows}


def as_text(value: Cell, unit: str) -> str:
    """A cell as it is printed.

    Examples
    --------
    >>> [as_text(*cell) for cell in ((0.123, "percent"), (7, "count"), (2.5, "ms"), (float("nan"), "count"))]
    ['12.30%', '7', '2.5 ms', '–']
    """
    if isinstance(value, str):
        return value or UNDEFINED
    if not math.isfinite(value):
        return number(value)
    if unit == "percent":
        return percent(value)
    if unit == "count":
        return f"{int(value):,}"
    if unit == "ms":
        return f"{number(value, 1)} ms"
    return number(value, 0 if unit == "minutes" else 3)


def as_json(value: Cell) -> Cell | None:
    """A cell as JSON has it.

    Examples
    --------
    >>> as_json(0.5), as_json(float("inf")), as_json("a")
    (0.5, None, 'a')
    """
    return value if isinstance(value, str) or math.isfinite(value) else None
