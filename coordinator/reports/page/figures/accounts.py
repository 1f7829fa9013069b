"""Accounts over time: strategies beside buy and hold, a bot, both sides' virtual trades, the rolling metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coordinator.reports.comparison import HOLD
from coordinator.reports.page.theme import DOWN, GREY, SERIES, add_line, figure, hline, plain
from coordinator.reports.rolling.summary import RollingView
from coordinator.reports.rolling.targets import ACCOUNT, BASELINE, ML, Metric

__all__ = ["accounts_figure", "drawdown_figure", "monthly_figure", "rolling_figure", "virtual_figure"]

SHOWN_MOST = 20.0
"""Ratios above this are cut: a profit factor of a window with one small loss would flatten the others."""


def accounts_figure(accounts: Mapping[str, pd.Series]) -> go.Figure:
    """Account values in percent of where they began.

    Parameters
    ----------
    accounts : mapping of name to pandas.Series
        Daily values; buy and hold is grey.
    """
    fig = figure("% of start")
    for i, (name, daily, colour) in enumerate(_coloured(accounts)):
        add_line(fig, daily.index, 100 * daily / daily.iloc[0], name, colour, dash=_dash(i, name))
    return fig


def drawdown_figure(accounts: Mapping[str, pd.Series]) -> go.Figure:
    """Fall below the highest value so far, percent."""
    fig = figure("drawdown, %")
    for i, (name, daily, colour) in enumerate(_coloured(accounts)):
        fall = 100 * (daily / daily.cummax() - 1)
        add_line(fig, daily.index, fall, name, colour, width=1.4, dash=_dash(i, name))
    return fig


def monthly_figure(accounts: Mapping[str, pd.Series]) -> go.Figure:
    """Return of each calendar month, percent."""
    fig = figure("% of the month")
    for name, daily, colour in _coloured(accounts):
        ends = daily.groupby(pd.DatetimeIndex(daily.index).tz_localize(None).to_period("M")).last()
        before = ends.shift().fillna(daily.iloc[0])
        fig.add_bar(
            x=[f"{month}-01" for month in ends.index],
            y=plain(100 * (ends / before - 1)),
            name=name,
            marker={"color": colour},
            xperiod="M1",
            hovertemplate="%{y:.2~f}",
        )
    return fig.update_layout(barmode="group", bargap=0.25)


def virtual_figure(arms: Mapping[str, pd.DataFrame], start: pd.Timestamp, end: pd.Timestamp) -> go.Figure:
    """What the signals through each side's own gate made, added up in percent of the account at the risk of a trade.

    Parameters
    ----------
    arms : mapping of name to pandas.DataFrame
        at (UTC, when known), r, risked (share of the account).
    start, end : pandas.Timestamp
        UTC; what is shown.
    """
    fig = figure("% of account, added up")
    for (name, frame), colour in zip(arms.items(), SERIES, strict=False):
        daily = (100 * frame["r"] * frame["risked"]).groupby(frame["at"].dt.ceil("D")).sum().cumsum()
        times = [min(start, daily.index[0]), *daily.index, max(end, daily.index[-1])]
        add_line(
            fig, times, [0.0, *daily, daily.iloc[-1]], f"{name}, {len(frame):,} trades", colour, shape="hv"
        )
    return fig


def rolling_figure(view: RollingView, metric: Metric) -> go.Figure:
    """A metric at the end of every day: ML's side, the baseline's, the account's, and the target as a dashed line."""
    scale = 100.0 if metric.unit == "percent" else 1.0
    units = {"percent": "%", "minutes": "minutes", "ms": "ms"}
    fig = figure(units.get(metric.unit, ""))
    for arm, name, colour in (
        (ML, "ML", SERIES[0]),
        (BASELINE, "baseline", SERIES[1]),
        (ACCOUNT, "account", GREY),
    ):
        values = view.series.get((arm, metric.name, ""))
        if values is None or not np.isfinite(values).any():
            continue
        shown = np.minimum(values, SHOWN_MOST) if metric.name == "profit_factor" else values
        add_line(fig, view.ends, shown * scale, name, colour, width=1.6)
    if fig.data and metric.target is not None:
        hline(fig, metric.target * scale, f"target {metric.target_text}", DOWN)
    return fig


def _dash(i: int, name: str) -> str:
    """Every second account is dashed: one that is the same as the one below it must not hide it."""
    return "dash" if i % 2 and name != HOLD else "solid"


def _coloured(accounts: Mapping[str, pd.Series]) -> Sequence[tuple[str, pd.Series, str]]:
    own = [name for name in accounts if name != HOLD]
    colours = dict(zip(own, SERIES * (1 + len(own) // len(SERIES)), strict=False)) | {HOLD: GREY}
    return [(name, daily, colours[name]) for name, daily in accounts.items() if len(daily)]
