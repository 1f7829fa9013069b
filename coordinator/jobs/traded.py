"""A backtest's real fills beside the virtual trades of its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from coordinator.ledger.trades import TradeRow
from coordinator.reports.results import BacktestResult
from coordinator.settings.trade import DcaSettings
from coordinator.trade.entries import entry_plan

__all__ = ["traded_rows"]


STOPS = ("stop_loss", "trailing_stop_loss")
AT_LIMIT = ("target reached", "roi")


def traded_rows(
    result: BacktestResult,
    decisions: pd.DataFrame,
    dca: DcaSettings,
    candles: Mapping[str, pd.DataFrame] | None = None,
) -> list[TradeRow]:
    """The trades of a result, each with the signal on the candle before its opening.

    What an exit should have been filled at: a stop's is the stop, a target's its own price, as Freqtrade fills it at
    its limit or not at all, and of every other exit the close of the candle before it, on which it was decided.

    Parameters
    ----------
    decisions : pandas.DataFrame
        The run's (:data:`coordinator.ledger.frame.COLUMNS`). A trade without a signal has no intended price and no R.
    dca : DcaSettings
        Which plan each signal's confidence gave.
    candles : mapping of pair to pandas.DataFrame, optional
        date (UTC, open) and close; without a pair's the intended price of its other exits is unknown.
    """
    closes = {pair: frame.set_index("date")["close"] for pair, frame in (candles or {}).items()}
    columns = (decisions[name].tolist() for name in ("time", "pair", "price", "stop", "unified_confidence"))
    signals = {(time, pair): tuple(numbers) for time, pair, *numbers in zip(*columns, strict=True)}
    by_trade = dict(iter(result.orders.groupby("trade")))
    records: list[dict[Any, Any]] = result.trades.to_dict("records")
    return [
        _row(trade, by_trade[i], signals, result.timeframe, dca, closes) for i, trade in enumerate(records)
    ]


def _row(
    trade: dict[Any, Any],
    orders: pd.DataFrame,
    signals: Mapping[tuple[Any, Any], tuple[float, ...]],
    timeframe: pd.Timedelta,
    dca: DcaSettings,
    closes: Mapping[str, pd.Series],
) -> TradeRow:
    entries, left = orders[orders["is_entry"]], orders[~orders["is_entry"]].iloc[-1]
    amount, price = entries["amount"].abs().to_numpy(), entries["price"].to_numpy()
    bought, paid = float(amount.sum()), float(amount @ price)
    direction = -1 if trade["is_short"] else 1
    time = trade["open_date"] - timeframe
    intended, stop, confidence = signals.get((time, trade["pair"]), (float("nan"),) * 3)
    planned = 1
    if intended == intended:
        planned = len(entry_plan(confidence, abs(intended - stop) / intended, dca).shares)
    risk = bought * direction * (paid / bought - float(price[0]) * stop / intended)
    profit = float(trade["profit_abs"])
    return TradeRow(
        time=int(time.timestamp()),
        pair=trade["pair"],
        direction=direction,
        opened_at=trade["open_date"].to_pydatetime(),
        closed_at=trade["close_date"].to_pydatetime(),
        intended_price=None if np.isnan(intended) else float(intended),
        filled_price=paid / bought,
        stake=paid / trade["leverage"],
        fees=float(orders["fee"].sum()),
        profit=profit,
        r=profit / risk if risk > 0 else None,
        exit_reason=trade["exit_reason"],
        tranches_planned=max(planned, len(entries)),
        tranches_filled=len(entries),
        intended_exit_price=_intended_exit(trade, left, timeframe, closes),
        exit_price=float(left["price"]),
    )


def _intended_exit(
    trade: Mapping[Any, Any], left: pd.Series, timeframe: pd.Timedelta, closes: Mapping[str, pd.Series]
) -> float | None:
    """What the last exit should have been filled at; None where that is unknown."""
    if trade["exit_reason"] in STOPS:
        price = trade["stop_loss_abs"]
    elif trade["exit_reason"] in AT_LIMIT:
        price = left["price"]
    elif trade["pair"] in closes:
        price = closes[trade["pair"]].get(left["time"] - timeframe, float("nan"))
    else:
        return None
    return None if np.isnan(price) else float(price)
