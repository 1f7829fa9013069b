"""What a section of the page is made of: charts, tables and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """A table of texts.

    Attributes
    ----------
    folded : what it is folded away under, if it is long or for few readers; empty where it is open
    """

    title: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    folded: str = ""


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
    notes: Sequence[str] = ()

    @property
    def drawn(self) -> list[Chart]:
        """Charts that have data."""
        return [chart for chart in self.charts if chart.figure is not None]

    @property
    def absent(self) -> dict[str, list[Chart]]:
        """Charts that have none, by the reason, which the page says once."""
        out: dict[str, list[Chart]] = {}
        for chart in self.charts:
            if chart.figure is None:
                out.setdefault(chart.why, []).append(chart)
        return out

    @property
    def folds(self) -> dict[str, list[Table]]:
        """Folded tables by what they are folded away under."""
        names = dict.fromkeys(table.folded for table in self.tables if table.folded)
        return {name: [table for table in self.tables if table.folded == name] for name in names}


def chart(name: str, title: str, aid: str, figure: go.Figure | None, why: str, size: Size = "low") -> Chart:
    """A chart, with the figure only if it has a value to draw."""
    drawn = figure if figure is not None and has_data(figure) else None
    return Chart(name, title, aid, drawn, why, size)
