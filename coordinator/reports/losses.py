"""What hyperopt minimises: pure functions of the trades that an epoch closed. Lower is better, and never infinite.

Each is the negative of something a trader wants, so Freqtrade's "Objective" can be read: -1.2 is a Calmar ratio, a
score, a profit or an R of 1.2. A trade that earns more never raises :func:`calmar_floor_loss`,
:func:`expectancy_loss` or :func:`drawdown_bounded_loss`. A Sharpe ratio can fall with one great day, so
:func:`deflated_sharpe_loss` promises less: it never rises where every day earns the same amount more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from coordinator.reports.deflated_sharpe import deflated_score
from coordinator.reports.metrics import DAYS_PER_YEAR, max_drawdown
from coordinator.types import Floats

__all__ = [
    "calmar_floor_loss",
    "daily_returns",
    "deflated_sharpe_loss",
    "drawdown_bounded_loss",
    "expectancy_loss",
    "initial_risk",
    "realised_equity",
]

LEAST_DRAWDOWN = 0.001
MOST_CALMAR = 500.0
MOST_LOST = 10.0  # of the balance, per year
MOST_EXCESS = 9.0


def realised_equity(trades: pd.DataFrame, balance: float) -> pd.Series:
    """The balance, then the account after each moment at which trades closed; stake currency, open trades left out.

    Parameters
    ----------
    trades : pandas.DataFrame
        Freqtrade's results of an epoch: close_date, profit_abs (stake currency, after costs); may be empty.
    balance : float
        At the start, above 0.
    """
    if not len(trades):
        return pd.Series([balance])
    profit = trades["profit_abs"].astype("float64").groupby(trades["close_date"]).sum()
    return pd.Series(balance + np.concatenate(([0.0], np.cumsum(profit.to_numpy()))))


def daily_returns(trades: pd.DataFrame, begin: datetime, end: datetime, balance: float) -> Floats:
    """Profit of the trades closed on each day from the first to the last, as a ratio of the starting balance."""
    days = pd.date_range(pd.Timestamp(begin).floor("D"), pd.Timestamp(end).floor("D"), freq="D")
    if not len(trades):
        return np.zeros(len(days))
    closed = pd.DatetimeIndex(trades["close_date"]).floor("D")
    profit = trades["profit_abs"].astype("float64").groupby(closed).sum()
    return np.asarray(profit.reindex(days, fill_value=0.0) / balance, dtype=np.float64)


def initial_risk(trades: pd.DataFrame) -> Floats:
    """What each trade would have lost at its initial stop, before costs; stake currency, NaN where that is unknown.

    The amount bought times the distance from the mean entry to the initial stop. Freqtrade's frame holds the stop as
    ``initial_stop_loss_abs`` (our strategies' backtests keep the planned stop there, other strategies' with a
    custom_stoploss the class's ``stoploss``), the entry as ``open_rate``, and the amount as ``max_stake_amount`` times
    ``leverage`` over it.
    """
    entry = trades["open_rate"].to_numpy(dtype=np.float64)
    stop = trades["initial_stop_loss_abs"].to_numpy(dtype=np.float64)
    stake = trades["max_stake_amount"].to_numpy(dtype=np.float64)
    side = np.where(trades["is_short"].to_numpy(dtype=bool), -1.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        risk = stake * trades["leverage"].to_numpy(dtype=np.float64) * side * (entry - stop) / entry
    return np.where(np.isfinite(risk) & (risk > 0), risk, np.nan)


def deflated_sharpe_loss(
    trades: pd.DataFrame, begin: datetime, end: datetime, balance: float, trials: int, spread: float
) -> float:
    """Minus the score of :func:`~coordinator.reports.deflated_sharpe.deflated_score` on the days' realised returns.

    Below about -1.64 the best of ``trials`` epochs is with 95 % surer than luck.

    Parameters
    ----------
    trials : int
        Epochs that hyperopt runs in all. A loss sees one epoch at a time, so every epoch is held against the whole.
    spread : float
        Standard deviation of the epochs' Sharpe ratios, per year; assumed, as no epoch knows the others'.
    """
    return -deflated_score(daily_returns(trades, begin, end, balance), trials, spread)


def calmar_floor_loss(
    trades: pd.DataFrame, begin: datetime, end: datetime, balance: float, least_trades: int
) -> float:
    """Minus the Calmar ratio; with fewer trades than the floor, more than any epoch with enough of them has.

    Profit per year (not compounded, ratio of the balance) over the largest drawdown of the realised account, which
    counts as .1 % at least; the ratio ends at 500. Of a loss it is the loss per year itself, up to 10: over a smaller
    drawdown it would look worse.

    With too few trades 10 to 21: the more are missing, the higher, and for as many missing ones by the ratio. All are
    below 100, from which on Freqtrade takes no epoch for the best.
    """
    years = max((end - begin) / timedelta(days=DAYS_PER_YEAR), 1 / DAYS_PER_YEAR)
    equity = realised_equity(trades, balance)
    per_year = float(equity.iloc[-1] / balance - 1) / years
    ratio = per_year / max(max_drawdown(equity), LEAST_DRAWDOWN) if per_year > 0 else per_year
    missing = least_trades - len(trades)
    if missing > 0:
        within_one = 0.5 - 0.5 * ratio / (1 + abs(ratio))
        return MOST_LOST * (1 + (missing + within_one) / least_trades)
    return -float(np.clip(ratio, -MOST_LOST, MOST_CALMAR))


def expectancy_loss(trades: pd.DataFrame) -> float:
    """Minus the mean R of the trades: profit after costs over the initial risk (:func:`initial_risk`).

    Trades whose initial risk is unknown are left out; 0 where none is left.
    """
    if not len(trades):
        return 0.0
    r = trades["profit_abs"].to_numpy(dtype=np.float64) / initial_risk(trades)
    known = r[np.isfinite(r)]
    return -float(known.mean()) if len(known) else 0.0


def drawdown_bounded_loss(trades: pd.DataFrame, balance: float, bound: float) -> float:
    """Minus the profit (ratio of the balance), and the square of the excess over the bound, in bounds.

    At twice the bound a drawdown of the realised account costs as much as the whole balance, at three times four
    times that, and from ten times the bound on no more; up to the bound nothing.
    """
    equity = realised_equity(trades, balance)
    excess = min(max(0.0, max_drawdown(equity) / bound - 1), MOST_EXCESS)
    return excess**2 - float(equity.iloc[-1] / balance - 1)
