"""What all figures of the page share. Colours are names of CSS variables: the page puts in its theme's."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

__all__ = ["DOWN", "GREY", "SERIES", "SOFT", "UP", "add_line", "figure", "has_data", "hline", "plain"]

SERIES = tuple(f"var(--s{i})" for i in range(1, 9))
GREY, SOFT, UP, DOWN = "var(--hold)", "var(--band)", "var(--up)", "var(--down)"


def figure(unit: str = "", hover: str = "x unified") -> go.Figure:
    """An empty figure with the unit on its vertical axis."""
    return go.Figure().update_layout(
        template="none",
        hovermode=hover,
        margin={"l": 58, "r": 14, "t": 12, "b": 36},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        yaxis={"title": {"text": unit, "standoff": 6}, "automargin": True},
        xaxis={"automargin": True},
        showlegend=True,
    )


def add_line(fig: go.Figure, x: Any, y: Any, name: str, colour: str, **line: Any) -> None:
    """A line; y is rounded to five digits, NaN and infinite values leave a gap."""
    fig.add_scatter(
        x=x,
        y=plain(y),
        name=escape(name),
        mode="lines",
        line={"color": colour, "width": 1.8, **line},
        hovertemplate="%{y:.4~g}",
    )


def plain(values: Iterable[float]) -> list[float | None]:
    """Numbers of five digits; None where one is undefined."""
    out = np.asarray(list(values), dtype=np.float64)
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in out.tolist()]


def hline(fig: go.Figure, y: float, words: str, colour: str = DOWN) -> None:
    """A dashed line across, with its meaning in the legend."""
    fig.add_hline(y=y, line={"color": colour, "width": 1, "dash": "dash"})
    fig.add_scatter(
        x=[None],
        y=[None],
        mode="lines",
        name=escape(words),
        line={"color": colour, "width": 1, "dash": "dash"},
    )


def has_data(fig: go.Figure) -> bool:
    """Whether any trace has a value to draw."""
    return any(_filled(trace) for trace in fig.data)


def _filled(trace: Any) -> bool:
    for name in ("z", "close", "y", "x"):
        values = getattr(trace, name, None)
        if values is not None:
            return bool(pd.notna(np.asarray(values, dtype=object).ravel()).any())
    return False
