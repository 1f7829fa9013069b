"""The figures of an evaluation's page."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go

from coordinator.reports.evaluation.differences import Compared, compared
from coordinator.reports.evaluation.evaluation import BASELINE, Evaluation
from coordinator.reports.evaluation.luck import noise_controls, random_controls
from coordinator.reports.evaluation.tables.measures import SHOWN
from coordinator.reports.page.figures.accounts import accounts_figure, drawdown_figure
from coordinator.reports.page.theme import DOWN, GREY, SERIES, UP, figure, plain
from coordinator.types import Floats

__all__ = ["evaluation_figures"]

ROW_PIXELS = 22


def evaluation_figures(evaluation: Evaluation) -> dict[str, go.Figure]:
    """Figures by name, those that have something to draw."""
    e = evaluation
    shown = {run.name: run.daily for run in map(e.account, SHOWN) if run is not None}
    figures = {"accounts": accounts_figure(shown), "drawdowns": drawdown_figure(shown)}
    for group in ("say", "components", "improvements"):
        # Only "components" says above its figure that its rows are less different accounts.
        mixed = group == "components"
        found = [one for one in compared(e, group) if not one.same and (mixed or one.against == BASELINE)]
        if found:
            figures[group] = _intervals(found)
    random, noise, base = random_controls(e), noise_controls(e), e.account(BASELINE)
    if random is not None and base is not None:
        figures["random"] = _histogram(random.sharpe, base.figures.sharpe, BASELINE)
    unearned = e.account("ML at 70 %, unearned")
    if noise is not None and unearned is not None and len(noise.unearned):
        figures["noise"] = _histogram(noise.unearned, unearned.figures.sharpe, unearned.name)
    return figures


def _intervals(found: list[Compared]) -> go.Figure:
    """Differences a year with their 90 % intervals, a row each, best on top."""
    rows = sorted(found, key=lambda one: one.difference.mean)
    fig = figure("", hover="closest")
    for sign, name, colour in ((1, "better", UP), (0, "not beyond noise", GREY), (-1, "worse", DOWN)):
        of_sign = [one for one in rows if one.sign == sign]
        mean, low, high = (
            100 * np.array([getattr(one.difference, part) for one in of_sign])
            for part in ("mean", "low", "high")
        )
        fig.add_scatter(
            x=plain(mean),
            y=[escape(one.run.name) for one in of_sign],
            mode="markers",
            name=name,
            marker={"color": colour, "size": 8},
            error_x={
                "array": plain(high - mean),
                "arrayminus": plain(mean - low),
                "color": colour,
                "width": 3,
            },
            hovertemplate="%{y}: %{x:+.2f} %<extra></extra>",
        )
    fig.add_vline(x=0, line={"color": GREY, "width": 1})
    order = [escape(one.run.name) for one in rows]
    return fig.update_layout(
        xaxis={"title": {"text": "% a year less the account it is compared with"}},
        yaxis={"categoryorder": "array", "categoryarray": order, "automargin": True, "title": None},
        height=110 + ROW_PIXELS * len(rows),
    )


def _histogram(values: Floats, own: float, name: str) -> go.Figure:
    fig = figure("seeds", hover="closest")
    fig.add_histogram(x=plain(values), name="controls", marker={"color": SERIES[0]}, nbinsx=25)
    fig.add_vline(x=own, line={"color": DOWN, "width": 2}, annotation_text=escape(name))
    return fig.update_layout(xaxis={"title": {"text": "Sharpe ratio"}}, showlegend=False)
