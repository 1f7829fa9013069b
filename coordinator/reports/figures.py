"""Plotly figures of the report. Every text in them is escaped: Plotly reads a subset of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coordinator.learning.reliability import reliability
from coordinator.ledger.schema import COMPONENTS
from coordinator.reports.comparison import Column, Comparison
from coordinator.reports.results import BacktestResult
from coordinator.reports.rolling.summary import RollingView
from coordinator.reports.rolling.targets import ACCOUNT, BASELINE, ML, Metric

__all__ = [
    "MAX_CANDLES",
    "candle_figure",
    "confidence_figure",
    "downsample_candles",
    "drawdown_figure",
    "equity_figure",
    "reliability_figure",
    "rolling_figure",
    "weight_figure",
]

MAX_CANDLES = 5000
# Colour-blind safe (Okabe and Ito); buy and hold is grey.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#000000")
GREY, UP, DOWN = "#8a8f98", "#2a9d8f", "#c8553d"
RELIABILITY_BINS = 50  # win probabilities lie close together
COARSER = ("4h", "12h", "1D", "1W")


def equity_figure(comparison: Comparison) -> go.Figure:
    """Account values of all columns in percent of where they began."""
    figure = _figure("account value, % of start")
    for column, colour in _coloured(comparison):
        daily = column.equity.daily
        figure.add_scatter(
            x=daily.index,
            y=(100 * daily / daily.iloc[0]).round(3),
            name=escape(column.name),
            line={"color": colour, "width": 1.8},
            hovertemplate="%{y:.1f}",
        )
    return figure


def drawdown_figure(comparison: Comparison) -> go.Figure:
    """Fall below the highest account value so far, percent."""
    figure = _figure("drawdown, %")
    for column, colour in _coloured(comparison):
        daily = column.equity.daily
        figure.add_scatter(
            x=daily.index,
            y=(100 * (daily / daily.cummax() - 1)).round(3),
            name=escape(column.name),
            line={"color": colour, "width": 1.4},
            hovertemplate="%{y:.1f}",
        )
    return figure


def downsample_candles(frame: pd.DataFrame, limit: int = MAX_CANDLES) -> pd.DataFrame:
    """Candles of the first of 4h, 12h, 1d and 1w that leaves at most ``limit`` of them; unchanged if few enough.

    Parameters
    ----------
    frame : pandas.DataFrame
        With date, open, high, low and close.
    """
    rules = {"open": "first", "high": "max", "low": "min", "close": "last"}
    thinned = frame
    for timeframe in COARSER:
        if len(thinned) <= limit:
            break
        thinned = frame.resample(timeframe, on="date").agg(rules).dropna().reset_index()
    return thinned


def candle_figure(pair: str, frame: pd.DataFrame, results: Sequence[BacktestResult]) -> go.Figure:
    """One pair's candles with every strategy's entries and exits; a line where only closes are known."""
    figure = _figure("price")
    if {"open", "high", "low"} <= set(frame.columns):
        thinned = downsample_candles(frame)
        prices = {name: _short(thinned[name]) for name in ("open", "high", "low", "close")}
        figure.add_candlestick(
            x=thinned["date"],
            **prices,
            name=escape(pair),
            increasing={"line": {"color": UP, "width": 1}},
            decreasing={"line": {"color": DOWN, "width": 1}},
        )
    else:
        figure.add_scatter(x=frame["date"], y=_short(frame["close"]), name=escape(pair), line={"color": GREY})
    for i, result in enumerate(results):
        # All strategies at once would cover each other: the others wait in the legend.
        _add_orders(figure, result, pair, COLOURS[i % len(COLOURS)], True if i == 0 else "legendonly")
    return figure.update_layout(xaxis_rangeslider_visible=False, hovermode="closest")


def confidence_figure(frame: pd.DataFrame, part: str) -> go.Figure:
    """Distribution of every component's confidence or percentile (``part``), twenty bins of 0..1."""
    figure = _figure("signals")
    edges = np.linspace(0, 1, 21)
    for component, colour in zip(COMPONENTS, COLOURS, strict=True):
        values = frame[f"{component}_{part}"].dropna().to_numpy()
        if len(values):
            count, _ = np.histogram(values, edges)
            figure.add_scatter(
                x=(edges[:-1] + edges[1:]) / 2,
                y=count,
                name=component,
                line={"color": colour, "width": 1.8, "shape": "hvh"},
                hovertemplate="%{y}",
            )
    return figure.update_xaxes(title=part, range=[0, 1]).update_yaxes(rangemode="tozero")


def weight_figure(frame: pd.DataFrame) -> go.Figure:
    """The ML weight of each day's signals, percent (the largest: in the pilot phase a tenth have one)."""
    figure = _figure("ML weight, %")
    daily = frame.groupby(frame["time"].dt.floor("D"))["ml_weight"].max()
    figure.add_scatter(
        x=daily.index,
        y=(100 * daily).round(2),
        line={"color": COLOURS[0], "shape": "hv"},
        hovertemplate="%{y:.1f}",
        showlegend=False,
    )
    return figure


def reliability_figure(frame: pd.DataFrame) -> go.Figure:
    """Calibrated win probability against the share of signals that reached their target."""
    figure = _figure("share that reached the target, %")
    known = frame[frame["outcome_r"].notna()]
    won = (known["outcome_exit"] == "target").to_numpy()
    bins = reliability(known["win_probability"].to_numpy(), won, RELIABILITY_BINS)
    filled = bins.count > 0
    top = float(np.nanmax(np.concatenate((bins.predicted[filled], bins.observed[filled], [0.1])))) * 100
    figure.add_scatter(
        x=[0, top], y=[0, top], mode="lines", line={"color": GREY, "dash": "dot"}, name="perfect"
    )
    figure.add_scatter(
        x=(100 * bins.predicted[filled]).round(2),
        y=(100 * bins.observed[filled]).round(2),
        mode="lines+markers",
        line={"color": COLOURS[0]},
        name="signals",
        text=[f"{n:,} signals" for n in bins.count[filled]],
        hovertemplate="%{x:.1f} predicted, %{y:.1f} observed, %{text}",
    )
    figure.update_layout(xaxis={"title": "win probability, %"}, hovermode="closest")
    return figure


def rolling_figure(view: RollingView, metric: Metric) -> go.Figure:
    """A metric at the end of every day: ML's arm, the baseline's, the account's, and the target as a dashed line."""
    scale = 100.0 if metric.unit == "percent" else 1.0
    figure = _figure("%" if metric.unit == "percent" else "")
    for arm, name, colour in (
        (ML, "ML", COLOURS[0]),
        (BASELINE, "baseline", COLOURS[1]),
        (ACCOUNT, "account", GREY),
    ):
        values = view.series.get((arm, metric.name, ""))
        if values is None or not np.isfinite(values).any():
            continue
        shown = [round(value * scale, 4) if np.isfinite(value) else None for value in values.tolist()]
        figure.add_scatter(x=view.ends, y=shown, name=name, line={"color": colour, "width": 1.6})
    if metric.target is not None:
        figure.add_hline(y=metric.target * scale, line={"color": DOWN, "width": 1, "dash": "dash"})
    return figure


def _add_orders(
    figure: go.Figure, result: BacktestResult, pair: str, colour: str, visible: bool | str
) -> None:
    orders = result.orders[result.orders["pair"] == pair]
    trades = result.trades.loc[orders["trade"]].set_index(orders.index)
    for is_entry, word in ((True, "entries"), (False, "exits")):
        own_orders = orders[orders["is_entry"] == is_entry]
        if own_orders.empty:
            continue
        tags = trades.loc[own_orders.index, "enter_tag" if is_entry else "exit_reason"]
        profit = trades.loc[own_orders.index, "profit_ratio"].map("{:+.2%}".format)
        figure.add_scatter(
            x=own_orders["time"],
            y=_short(own_orders["price"]),
            mode="markers",
            name=f"{escape(result.strategy)} {word}",
            visible=visible,
            text=[escape(str(tag)) for tag in tags],
            customdata=profit.to_numpy(dtype=object),
            hovertemplate="%{x|%Y-%m-%d %H:%M} at %{y}<br>%{text}<br>trade %{customdata}",
            marker={
                "symbol": np.where(own_orders["amount"] > 0, "triangle-up", "triangle-down"),
                "size": 8,
                "color": colour if is_entry else "white",
                "line": {"color": colour, "width": 1.5},
            },
        )


def _figure(unit: str) -> go.Figure:
    figure = go.Figure()
    return figure.update_layout(
        template="plotly_white",
        hovermode="x unified",
        margin={"l": 55, "r": 15, "t": 10, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        font={"family": "system-ui, sans-serif", "size": 12},
        yaxis={"title": unit},
        showlegend=True,
    )


def _coloured(comparison: Comparison) -> list[tuple[Column, str]]:
    *strategies, hold = comparison.columns
    colours = COLOURS * len(strategies)
    return [*zip(strategies, colours, strict=False), (hold, GREY)]


def _short(prices: pd.Series) -> pd.Series:
    """Seven significant digits: more than a chart shows, a third of the file."""
    scale = 10.0 ** (6 - np.floor(np.log10(np.maximum(prices.to_numpy(dtype=float), 1e-12))))
    return pd.Series(np.round(prices.to_numpy(dtype=float) * scale) / scale, index=prices.index)
