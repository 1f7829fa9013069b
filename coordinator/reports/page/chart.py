"""What a section of the page is made of: charts, tables and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import plotly.graph_objects as go

from coordinator.reports.page.theme import has_data

__all__ = ["Chart", "Section", "Table", "chart"]

Size = Literal["low", "tall", "wide"]


@dataclass(frozen=True)
class Chart:
    """A figure with its title and a line on how to read it; without data, the reason instead.

    Attributes
    ----------
    name : of the figure among all of the page
    figure : None where there is nothing to draw
    why : why there is not
    size : "low" beside another, "wide" over the whole width, "tall" wide and higher
    """

    name: str
    title: str
    aid: str
    figure: go.Figure | None
    why: str
    size: Size = "low"


@dataclass(frozen=True)
class Table:
    """A table of texts; folded away if it is long or for few readers."""

    title: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page that the navigation leads to.

    Attributes
    ----------
    name : its anchor
    intro : a line below its heading; may be empty
    """

    name: str
    title: str
    intro: str = ""
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    texts: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)


def chart(name: str, title: str, aid: str, figure: go.Figure | None, why: str, size: Size = "low") -> Chart:
    """A chart, with the figure only if it has a value to draw."""
    drawn = figure if figure is not None and has_data(figure) else None
    return Chart(name, title, aid, drawn, why, size)
