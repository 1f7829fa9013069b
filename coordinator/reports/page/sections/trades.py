"""Trades: on the candles of each pair, and as a list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd
import plotly.graph_objects as go

from coordinator.reports.page.data import PageData
from coordinator.reports.page.figures.candles import MAX_CANDLES, candle_figure, trade_figure
from coordinator.reports.results import BacktestResult
from coordinator.reports.texts import UNDEFINED, money, number, percent
from coordinator.trade.exits import shown_reason

__all__ = ["CANDLES_IN_ALL", "TRADES_HEAD", "TradeList", "candle_figures", "trade_lists"]

MAX_TRADES = 2000  # rows of each list; a browser handles these at once
CANDLES_IN_ALL = 40_000
"""Of all pairs together: more makes the page slow to open."""
TRADES_HEAD = (
    "Opened (UTC)", "Closed (UTC)", "Pair", "Side", "Orders", "Open rate", "Close rate", "Stake", "Profit",
    "Profit, stake currency", "Fees", "Entered on", "Left on",
)  # fmt: skip
BOT_HEAD = (
    "Opened (UTC)", "Closed (UTC)", "Pair", "Side", "Entry rate", "Exit rate", "Stake", "Profit", "R", "Virtual R",
    "Fees", "Tranches", "Left on",
)  # fmt: skip


@dataclass(frozen=True)
class TradeList:
    """Rows of trades, the last ones if there are too many.

    Attributes
    ----------
    count : of all of them
    texts : positions of the columns that are texts
    """

    name: str
    count: int
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    texts: tuple[int, ...]


def trade_lists(data: PageData) -> list[TradeList]:
    """Of each strategy, or of the bot."""
    if data.results:
        return [_of_result(result) for result in data.results]
    return [_of_bot(run.run.strategy, run.run.trades) for run in data.runs]


def candle_figures(data: PageData) -> dict[str, go.Figure]:
    """By pair: all pairs of the backtests; of a bot those traded whose candles are at hand."""
    if data.results:
        first = data.results[0]
        limit = _limit(len(first.pairs))
        out = {}
        for pair in first.pairs:
            frame = data.candles[pair]
            inside = frame[frame["date"].between(first.start, first.end)]
            out[pair] = candle_figure(pair, inside, data.results, limit)
        return out
    run = data.main
    if run is None:
        return {}
    shown = {}
    for pair in sorted(set(run.run.trades["pair"]) & set(data.candles)):
        frame = data.candles[pair]
        inside = frame[(frame["date"] >= run.since.floor("D")) & (frame["date"] < run.end)]
        if len(inside):
            shown[pair] = trade_figure(pair, inside, run.run.trades, _limit(len(data.candles)))
    return shown


def _limit(pairs: int) -> int:
    return min(MAX_CANDLES, CANDLES_IN_ALL // max(pairs, 1))


def _of_result(result: BacktestResult) -> TradeList:
    orders = result.orders.groupby("trade").agg(orders=("fee", "size"), fees=("fee", "sum"))
    table = result.trades.join(orders).tail(MAX_TRADES)
    amount = partial(money, currency=result.stake_currency)
    # In the order of the head.
    columns = (
        table["open_date"].dt.strftime("%Y-%m-%d %H:%M"),
        table["close_date"].dt.strftime("%Y-%m-%d %H:%M"),
        table["pair"],
        table["is_short"].map({True: "short", False: "long"}),
        table["orders"].map("{:.0f}".format),
        table["open_rate"].map("{:,.8g}".format),
        table["close_rate"].map("{:,.8g}".format),
        table["max_stake_amount"].map(amount),
        table["profit_ratio"].map(lambda ratio: percent(ratio, sign=True)),
        table["profit_abs"].map(lambda profit: amount(profit, sign=True)),
        table["fees"].map(amount),
        table["enter_tag"],
        table["exit_reason"].map(shown_reason),
    )
    rows = list(zip(*columns, strict=True))
    return TradeList(result.strategy, len(result.trades), TRADES_HEAD, rows, (0, 1, 2, 3, 11, 12))


def _of_bot(name: str, trades: pd.DataFrame) -> TradeList:
    filled = trades[trades["filled_price"].notna()]
    shown = filled.tail(MAX_TRADES)
    if shown.empty:
        return TradeList(name, 0, BOT_HEAD, [], ())
    columns = (
        shown["opened_at"].dt.strftime("%Y-%m-%d %H:%M"),
        shown["closed_at"].map(lambda at: "open" if pd.isna(at) else f"{at:%Y-%m-%d %H:%M}"),
        shown["pair"],
        shown["direction"].map({1: "long", -1: "short"}),
        shown["filled_price"].map("{:,.8g}".format),
        shown["exit_price"].map(lambda price: UNDEFINED if pd.isna(price) else f"{price:,.8g}"),
        shown["stake"].map(money),
        shown["profit"].map(lambda amount: money(amount, sign=True)),
        shown["r"].map(number),
        shown["virtual_r"].map(number),
        shown["fees"].map(money),
        shown["tranches_filled"].astype(str) + " of " + shown["tranches_planned"].astype(str),
        shown["exit_reason"].fillna("").map(shown_reason),
    )
    return TradeList(name, len(filled), BOT_HEAD, list(zip(*columns, strict=True)), (0, 1, 2, 3, 12))
