"""The portfolio: how alike pairs move, sectors, limits, the improvements' effects, slippage."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coordinator.reports.page.theme import GREY, SERIES, add_line, figure, plain
from coordinator.reports.rolling.portfolio import CONCENTRATION, CORRELATION, FOUND
from coordinator.reports.rolling.summary import RollingView
from coordinator.reports.rolling.table import MetricTable
from coordinator.reports.rolling.targets import ACCOUNT

__all__ = [
    "CORRELATION_DAYS",
    "correlation_figure",
    "correlation_matrix",
    "effects_figure",
    "filtered_figure",
    "held_together_figure",
    "sector_figure",
    "slippage_figure",
    "trust_figure",
]

CORRELATION_DAYS, LEAST_RETURNS = 90, 20


def correlation_matrix(candles: Mapping[str, pd.DataFrame], end: pd.Timestamp) -> pd.DataFrame:
    """Correlations of the pairs' daily returns in the :data:`CORRELATION_DAYS` days to a moment.

    Parameters
    ----------
    candles : mapping of pair to pandas.DataFrame
        date (UTC, open) and close; a pair with fewer than :data:`LEAST_RETURNS` returns is left out.

    Returns
    -------
    pandas.DataFrame
        Shape (pairs, pairs), -1..1; empty for fewer than two pairs.
    """
    begin = end - pd.Timedelta(days=CORRELATION_DAYS)
    returns = {}
    for pair, frame in candles.items():
        inside = frame[(frame["date"] >= begin) & (frame["date"] < end)]
        closes = inside["close"].groupby(inside["date"].dt.floor("D")).last()
        change = closes.pct_change().dropna()
        if len(change) >= LEAST_RETURNS and change.std() > 0:
            returns[pair] = change
    return pd.DataFrame(returns).corr() if len(returns) > 1 else pd.DataFrame()


def correlation_figure(matrix: pd.DataFrame) -> go.Figure:
    """The matrix as a heat map, its values written in where there is room."""
    fig = figure(hover="closest")
    if matrix.empty:
        return fig
    names = [escape(pair) for pair in matrix.columns]
    values = matrix.round(2)
    fig.add_heatmap(
        z=values.to_numpy().tolist(),
        x=names,
        y=names,
        zmin=-1,
        zmax=1,
        colorscale=[[0, "var(--cold)"], [0.5, "var(--middle)"], [1, "var(--warm)"]],
        text=values.map("{:.2f}".format).to_numpy().tolist() if len(names) <= 12 else None,
        texttemplate="%{text}" if len(names) <= 12 else None,
        hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
        colorbar={"thickness": 10, "len": 0.9},
    )
    return fig.update_yaxes(autorange="reversed").update_layout(showlegend=False)


def sector_figure(view: RollingView) -> go.Figure:
    """Each sector's share of the open positions at the end of every day, percent."""
    fig = figure("% of open positions")
    of = {s: v for (_, metric, s), v in view.series.items() if metric == "sector_share" and s}
    for i, (name, values) in enumerate(sorted(of.items())):
        if np.nansum(values) > 0:
            fig.add_scatter(
                x=view.ends,
                y=plain(100 * np.nan_to_num(values)),
                name=escape(name),
                mode="lines",
                stackgroup="all",
                line={"width": 0.5, "color": SERIES[i % len(SERIES)], "shape": "hv"},
                hovertemplate="%{y:.0f} %",
            )
    return fig.update_yaxes(range=[0, 100])


def held_together_figure(view: RollingView) -> go.Figure:
    """Mean correlation of the pairs held, the largest sector's share, correlated positions found at an entry."""
    fig = figure()
    for metric, name, colour in (
        (CORRELATION, "mean correlation of pairs held", SERIES[0]),
        (CONCENTRATION, "largest sector's share", SERIES[1]),
        (FOUND, "correlated positions found at an entry", SERIES[2]),
    ):
        values = view.series.get((ACCOUNT, metric, ""))
        if values is not None and np.isfinite(values).any():
            add_line(fig, view.ends, values, name, colour)
    return fig


def filtered_figure(improved: pd.DataFrame) -> go.Figure:
    """Entries let through and refused by each switch that can refuse one.

    Parameters
    ----------
    improved : pandas.DataFrame
        name, mode, base, adjusted, as ``RunData.improved``.
    """
    fig = figure("entries", hover="closest")
    rows = []
    for name in ("regime_gate", "regime_avoid", "correlation_filter", "sector_limit", "ranking"):
        own = improved[improved["name"] == name]
        if own.empty:
            continue
        if name in ("regime_gate", "regime_avoid"):
            refused = (own["adjusted"] == 0).to_numpy()
        else:
            refused = ((own["adjusted"] >= own["base"]) | (name == "ranking")).to_numpy()
        rows.append((f"{name} ({own['mode'].iloc[-1]})", int((~refused).sum()), int(refused.sum())))
    if rows:
        names = [escape(row[0].replace("_", " ")) for row in rows]
        for i, word, colour in ((1, "let through", SERIES[0]), (2, "refused", SERIES[1])):
            fig.add_bar(x=names, y=[row[i] for row in rows], name=word, marker={"color": colour})
    return fig.update_layout(barmode="group", bargap=0.35)


def effects_figure(table: MetricTable, column: str) -> go.Figure:
    """A figure of :func:`with_and_without_table` without and with each improvement.

    Parameters
    ----------
    column : a name of its head, e.g. "Mean R"
    """
    fig = figure(column, hover="closest")
    at = list(table.head).index(column) - 1
    for side, colour in (("without", GREY), ("with", SERIES[0])):
        own = [
            (name, cells)
            for name, cells in table.rows
            if cells[1] == side and float(cells[at]) == float(cells[at])
        ]
        if own:
            fig.add_bar(
                x=[f"{escape(str(name).replace('_', ' '))} ({cells[0]})" for name, cells in own],
                y=plain(float(cells[at]) for _, cells in own),
                name=side,
                marker={"color": colour},
                text=[f"{int(cells[2]):,} outcomes" for _, cells in own],
                textposition="none",
                hovertemplate="%{y:.3f}, %{text}",
            )
    return fig.update_layout(barmode="group", bargap=0.35)


def trust_figure(improved: pd.DataFrame, end: pd.Timestamp) -> go.Figure:
    """How far each improvement may go, after each change of the trust in it, percent; 0 is off."""
    fig = figure("range, %")
    own = improved[improved["name"].str.startswith("trust_") & (improved["pair"] == "*")]
    for (name, rows), colour in zip(own.groupby("name"), SERIES, strict=False):
        times, values = [*rows["time"], end], [*rows["adjusted"], rows["adjusted"].iloc[-1]]
        label = str(name).removeprefix("trust_").replace("_", " ")
        add_line(fig, times, [100 * v for v in values], label, colour, shape="hv")
    return fig


def slippage_figure(trades: pd.DataFrame) -> go.Figure:
    """Mean slippage of entries and exits by pair, percent; positive is worse than intended."""
    fig = figure("% worse than intended", hover="closest")
    for column, name, colour in (("slippage", "entries", SERIES[0]), ("exit_slippage", "exits", SERIES[1])):
        mean = trades.groupby("pair")[column].mean().dropna() if len(trades) else pd.Series(dtype=float)
        if len(mean):
            fig.add_bar(
                x=[escape(str(pair)) for pair in mean.index],
                y=plain(100 * mean),
                name=name,
                marker={"color": colour},
                hovertemplate="%{y:.3f} %",
            )
    return fig.update_layout(barmode="group", bargap=0.35)
