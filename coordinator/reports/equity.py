"""Account value at the end of every day, for strategies and for buy and hold alike.

The value of a strategy's account is its starting balance, plus what its orders paid and received, fees
included, plus its open positions at the last known close. It is computed from the orders, so that open
positions count in spot and in futures alike (Freqtrade's own futures wallet leaves them out). Funding counts
when its trade closes, which is when the result tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.errors import CoordinatorError
from coordinator.reports.results import BacktestResult
from coordinator.signals.breaks import price_jumps

__all__ = ["BuyAndHold", "Equity", "buy_and_hold", "day_ends", "strategy_equity"]

MARKED, WALLET, REALISED = "marked to market", "Freqtrade's wallet", "realised profit only"


@dataclass(frozen=True)
class Equity:
    """Account value over time.

    Attributes
    ----------
    daily : pandas.Series
        Stake currency by moment (UTC): the start, every following midnight, and the end.
    basis : str
        How open positions are valued.
    """

    daily: pd.Series
    basis: str


@dataclass(frozen=True)
class BuyAndHold:
    """Buy and hold: account value, and per pair the profit after costs and the fees (stake currency)."""

    equity: Equity
    profits: pd.Series
    fees: float


def day_ends(start: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """The start, every midnight between, and the end; a part of a day at either side counts as a day.

    Examples
    --------
    >>> moments = day_ends(pd.Timestamp("2024-01-01 06:00Z"), pd.Timestamp("2024-01-03 00:00Z"))
    >>> [f"{moment:%d. %H:%M}" for moment in moments]
    ['01. 06:00', '02. 00:00', '03. 00:00']
    """
    midnights = pd.date_range(start.floor("D") + pd.Timedelta(days=1), end, freq="D")
    inside = midnights[(midnights > start) & (midnights < end)]
    return pd.DatetimeIndex([start, *inside, end]).as_unit("us")


def strategy_equity(result: BacktestResult, candles: Mapping[str, pd.DataFrame]) -> Equity:
    """A strategy's account value.

    Parameters
    ----------
    candles : mapping of pair to pandas.DataFrame
        With the columns date (UTC, open) and close. If a traded pair is missing, the account is valued from
        Freqtrade's wallet in spot, and at realised profit in futures; ``basis`` says so.

    Raises
    ------
    CoordinatorError
        If a pair's candles begin after the strategy traded it.
    """
    moments = day_ends(result.start, result.end + result.timeframe)
    if set(result.orders["pair"]) <= set(candles):
        values = result.starting_balance + _cash(result, moments)
        for pair, orders in result.orders.groupby("pair"):
            held = _sum_until(orders["time"], orders["amount"], moments)
            price = _closes(candles[str(pair)], moments, result.timeframe)
            # What exits leave of a sum of floats is no position.
            worth = np.where(np.abs(held) > 1e-9, held * price, 0.0)
            if np.isnan(worth).any():
                raise CoordinatorError("candles", str(pair), f"reach back to {result.start}", "later ones")
            values = values + worth
        return Equity(pd.Series(values, index=moments), MARKED)
    if result.wallet is not None and result.trading_mode == "spot":
        wallet = result.wallet.reindex(moments[1:-1], method="ffill").fillna(result.starting_balance)
        final = result.starting_balance + result.trades["profit_abs"].sum()
        return Equity(pd.Series([result.starting_balance, *wallet, final], index=moments), WALLET)
    profit = _sum_until(result.trades["close_date"], result.trades["profit_abs"], moments)
    return Equity(pd.Series(result.starting_balance + profit, index=moments), REALISED)


def buy_and_hold(
    candles: Mapping[str, pd.DataFrame],
    start: pd.Timestamp,
    end: pd.Timestamp,
    timeframe: pd.Timedelta,
    balance: float,
    fee: float,
) -> BuyAndHold:
    """The balance split evenly over the pairs, each bought at its first close and sold at its last.

    Every pair has its share from the start on. That of a pair listed later waits in cash until its first close; that of
    a pair whose candles end earlier is sold at its last close, and waits in cash from then on. Nothing is split anew. A
    redenomination (``signals.breaks.price_jumps``) makes nobody
    richer: the amount changes with it.

    Parameters
    ----------
    candles : mapping of pair to pandas.DataFrame
        With the columns date (UTC, open), open and close.
    start, end : pandas.Timestamp
        Opens of the first and last candle.
    fee : float
        Ratio of each order's value, paid when buying and when selling.

    Raises
    ------
    CoordinatorError
        If a pair has no candle in that time, or there is no pair.
    """
    if not candles:
        raise CoordinatorError("candles", "buy and hold", "hold at least one pair", "none")
    moments = day_ends(start, end + timeframe)
    share = balance / len(candles)
    value, profits, fees = np.zeros(len(moments)), {}, 0.0
    for pair, frame in candles.items():
        inside = _without_jumps(frame[frame["date"].between(start, end)])
        if inside.empty:
            raise CoordinatorError("candles", f"buy and hold of {pair}", f"reach {start} to {end}", "none")
        first, last = float(inside["close"].iloc[0]), float(inside["close"].iloc[-1])
        amount = share / (first * (1 + fee))
        received = amount * last * (1 - fee)
        opens = inside["date"]
        worth = np.where(
            moments < opens.iloc[0] + timeframe, share, amount * _closes(inside, moments, timeframe)
        )
        worth[moments >= opens.iloc[-1] + timeframe] = received
        value += worth
        profits[pair] = received - share
        fees += amount * fee * (first + last)
    return BuyAndHold(Equity(pd.Series(value, index=moments), MARKED), pd.Series(profits, dtype=float), fees)


def _without_jumps(frame: pd.DataFrame) -> pd.DataFrame:
    """The closes in units of the first candle's, where the price was redenominated on the way."""
    close, opened = frame["close"].to_numpy(dtype=float), frame["open"].to_numpy(dtype=float)
    rows = np.flatnonzero(price_jumps(opened, close))
    factors = np.ones(len(close))
    factors[rows] = opened[rows] / close[rows - 1]
    return frame.assign(close=close / np.cumprod(factors)) if len(rows) else frame


def _cash(result: BacktestResult, moments: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
    """What orders and funding have brought in or cost until each moment."""
    orders, trades = result.orders, result.trades
    paid = -orders["amount"] * orders["price"] - orders["fee"]
    funding = _sum_until(trades["close_date"], trades["funding_fees"].fillna(0.0), moments)
    return _sum_until(orders["time"], paid, moments) + funding


def _sum_until(times: pd.Series, values: pd.Series, moments: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
    """Sum of the values before each moment. A time is a candle's open, known once the moment is past it."""
    order = np.argsort(times.to_numpy(), kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(values.to_numpy(dtype=float)[order])))
    until = np.searchsorted(times.to_numpy()[order], moments.to_numpy(), side="left")
    return np.asarray(sums[until], dtype=np.float64)


def _closes(
    frame: pd.DataFrame, moments: pd.DatetimeIndex, timeframe: pd.Timedelta
) -> npt.NDArray[np.float64]:
    """The last close known at each moment; NaN before the first."""
    closed = (frame["date"] + timeframe).dt.as_unit("us").to_numpy()
    last = np.searchsorted(closed, moments.to_numpy(), side="right")
    closes = np.concatenate(([np.nan], frame["close"].to_numpy(dtype=float)))
    return np.asarray(closes[last], dtype=np.float64)
