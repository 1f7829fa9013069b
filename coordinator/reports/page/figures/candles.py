"""A pair's candles with every strategy's entries and exits."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from coordinator.reports.page.theme import DOWN, GREY, SERIES, UP, figure
from coordinator.reports.results import BacktestResult
from coordinator.trade.exits import shown_reason

__all__ = ["MAX_CANDLES", "candle_figure", "downsample_candles", "trade_figure"]

MAX_CANDLES = 5000
COARSER = ("4h", "12h", "1D", "1W")


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


def candle_figure(
    pair: str, frame: pd.DataFrame, results: Sequence[BacktestResult], limit: int = MAX_CANDLES
) -> go.Figure:
    """One pair's candles with every strategy's entries and exits; a line where only closes are known."""
    fig = _prices(pair, frame, limit)
    for i, result in enumerate(results):
        # All strategies at once would cover each other: the others wait in the legend.
        _add_orders(fig, result, pair, SERIES[i % len(SERIES)], True if i == 0 else "legendonly")
    return fig


def trade_figure(pair: str, frame: pd.DataFrame, trades: pd.DataFrame, limit: int = MAX_CANDLES) -> go.Figure:
    """One pair's candles with a bot's fills (``trades`` as ``Ledger.trades``)."""
    fig = _prices(pair, frame, limit)
    own = trades[(trades["pair"] == pair) & trades["filled_price"].notna()]
    for word, time, price, symbol, colour in (
        ("entries", "opened_at", "filled_price", "triangle-up", SERIES[0]),
        ("exits", "closed_at", "exit_price", "triangle-down", "var(--card)"),
    ):
        rows = own[own[time].notna() & own[price].notna()]
        if len(rows):
            fig.add_scatter(
                x=rows[time],
                y=_short(rows[price]),
                mode="markers",
                name=word,
                text=[escape(shown_reason(str(reason or ""))) for reason in rows["exit_reason"]],
                hovertemplate="%{x|%Y-%m-%d %H:%M} at %{y}<br>%{text}",
                marker={
                    "symbol": symbol,
                    "size": 9,
                    "color": colour,
                    "line": {"color": SERIES[0], "width": 1.5},
                },
            )
    return fig


def _prices(pair: str, frame: pd.DataFrame, limit: int) -> go.Figure:
    fig = figure("price", hover="closest")
    if {"open", "high", "low"} <= set(frame.columns):
        thinned = downsample_candles(frame, limit)
        prices = {name: _short(thinned[name]) for name in ("open", "high", "low", "close")}
        fig.add_candlestick(
            x=thinned["date"],
            **prices,
            name=escape(pair),
            increasing={"line": {"color": UP, "width": 1}},
            decreasing={"line": {"color": DOWN, "width": 1}},
        )
    else:
        fig.add_scatter(x=frame["date"], y=_short(frame["close"]), name=escape(pair), line={"color": GREY})
    return fig.update_layout(xaxis_rangeslider_visible=False)


def _add_orders(fig: go.Figure, result: BacktestResult, pair: str, colour: str, visible: bool | str) -> None:
    orders = result.orders[result.orders["pair"] == pair]
    trades = result.trades.loc[orders["trade"]].set_index(orders.index)
    for is_entry, word in ((True, "entries"), (False, "exits")):
        own_orders = orders[orders["is_entry"] == is_entry]
        if own_orders.empty:
            continue
        tags = trades.loc[own_orders.index, "enter_tag" if is_entry else "exit_reason"]
        profit = trades.loc[own_orders.index, "profit_ratio"].map("{:+.2%}".format)
        fig.add_scatter(
            x=own_orders["time"],
            y=_short(own_orders["price"]),
            mode="markers",
            name=f"{escape(result.strategy)} {word}",
            visible=visible,
            text=[escape(shown_reason(str(tag))) for tag in tags],
            customdata=profit.to_numpy(dtype=object),
            hovertemplate="%{x|%Y-%m-%d %H:%M} at %{y}<br>%{text}<br>trade %{customdata}",
            marker={
                "symbol": np.where(own_orders["amount"] > 0, "triangle-up", "triangle-down"),
                "size": 8,
                "color": colour if is_entry else "var(--card)",
                "line": {"color": colour, "width": 1.5},
            },
        )


def _short(prices: pd.Series) -> pd.Series:
    """Seven significant digits: more than a chart shows, a third of the file."""
    scale = 10.0 ** (6 - np.floor(np.log10(np.maximum(prices.to_numpy(dtype=float), 1e-12))))
    return pd.Series(np.round(prices.to_numpy(dtype=float) * scale) / scale, index=prices.index)
