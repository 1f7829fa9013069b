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


def traded_rows(result: BacktestResult, decisions: pd.DataFrame, dca: DcaSettings) -> list[TradeRow]:
    """The trades of a result, each with the signal on the candle before its opening.

    Parameters
    ----------
    decisions : pandas.DataFrame
        The run's (:data:`coordinator.ledger.frame.COLUMNS`). A trade without a signal has no intended price and no R.
    dca : DcaSettings
        Which plan each signal's confidence gave.
    """
    columns = (decisions[name].tolist() for name in ("time", "pair", "price", "stop", "unified_confidence"))
    signals = {(time, pair): tuple(numbers) for time, pair, *numbers in zip(*columns, strict=True)}
    by_trade = dict(iter(result.orders.groupby("trade")))
    records: list[dict[Any, Any]] = result.trades.to_dict("records")
    return [_row(trade, by_trade[i], signals, result.timeframe, dca) for i, trade in enumerate(records)]


def _row(
    trade: dict[Any, Any],
    orders: pd.DataFrame,
    signals: Mapping[tuple[Any, Any], tuple[float, ...]],
    timeframe: pd.Timedelta,
    dca: DcaSettings,
) -> TradeRow:
    entries = orders[orders["is_entry"]]
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
    )
