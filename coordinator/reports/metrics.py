"""Figures of performance, one definition for strategies and for buy and hold.

Sharpe, Sortino, Calmar and drawdown are computed here from daily account values
(:mod:`coordinator.reports.equity`), open positions included, and not taken from Freqtrade, whose figures rest
on closed trades and have no counterpart for buy and hold. Crypto trades every day, so a year has 365. The rate
of a riskless investment is taken as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coordinator.reports.equity import BuyAndHold, Equity
from coordinator.reports.results import BacktestResult

__all__ = [
    "DAYS_PER_YEAR",
    "Metrics",
    "calmar",
    "hold_metrics",
    "max_drawdown",
    "profit_factor",
    "sharpe",
    "sortino",
    "strategy_metrics",
]

DAYS_PER_YEAR = 365


@dataclass(frozen=True)
class Metrics:
    """Figures of one column of a comparison; NaN where undefined, infinity where nothing stood against it.

    Attributes
    ----------
    profit : float
        Final over starting balance, less one.
    profit_abs, fees : float
        Stake currency; exchange fees of all orders, funding not included.
    sharpe, sortino, calmar : float
        Per year.
    profit_factor : float
        Sum of profits over sum of losses, both after costs.
    max_drawdown : float
        0..1, of daily account values.
    win_rate : float
        0..1, trades that made a profit after costs; for buy and hold a pair is a trade.
    trades : int
    profit_at_twice_the_fee : float
        Profit less the fees paid once more; sizes as they were.
    """

    profit: float
    profit_abs: float
    sharpe: float
    sortino: float
    calmar: float
    profit_factor: float
    max_drawdown: float
    win_rate: float
    trades: int
    fees: float
    profit_at_twice_the_fee: float


def sharpe(daily: pd.Series) -> float:
    """Mean over standard deviation (n - 1) of daily returns, times the root of 365.

    NaN with fewer than two returns or when none differs from another.

    Examples
    --------
    >>> round(sharpe(pd.Series([100.0, 110.0, 99.0, 108.9])), 3)  # +10 %, -10 %, +10 %
    5.515
    """
    returns = daily.pct_change().dropna()
    spread = returns.std()
    return _ratio(returns.mean(), spread) if len(returns) > 1 and spread > 1e-15 else float("nan")


def sortino(daily: pd.Series) -> float:
    """Mean of daily returns over the root of their mean squared loss (all days count), times the root of 365.

    Infinite if there is profit and no losing day, NaN if there is neither.

    Examples
    --------
    >>> round(sortino(pd.Series([100.0, 110.0, 99.0, 108.9])), 3)
    11.03
    >>> sortino(pd.Series([100.0, 110.0, 121.0]))
    inf
    """
    returns = daily.pct_change().dropna()
    if returns.empty:
        return float("nan")
    return _ratio(returns.mean(), np.sqrt((returns.clip(upper=0) ** 2).mean()))


def calmar(daily: pd.Series) -> float:
    """Return per year, compounded, over the maximum drawdown. A year is 365 times 24 hours.

    Infinite if there is profit and no drawdown, NaN if there is neither. An account that is lost returns -1.
    """
    years = (daily.index[-1] - daily.index[0]) / pd.Timedelta(days=DAYS_PER_YEAR)
    growth = max(float(daily.iloc[-1] / daily.iloc[0]), 0.0)
    # Days that double blow up when extrapolated to a year; a float has its end there.
    with np.errstate(over="ignore"):
        per_year = float(np.power(growth, 1 / years)) - 1
    return _divide(per_year, max_drawdown(daily))


def max_drawdown(daily: pd.Series) -> float:
    """Largest fall below an earlier high, as a ratio of that high; 0 if there is none.

    Examples
    --------
    >>> max_drawdown(pd.Series([100.0, 120.0, 90.0, 130.0]))
    0.25
    """
    return float((1 - daily / daily.cummax()).max())


def profit_factor(profits: pd.Series) -> float:
    """Sum of profits over sum of losses; infinite without losses, NaN without both.

    Examples
    --------
    >>> profit_factor(pd.Series([30.0, -10.0, -5.0]))
    2.0
    """
    return _divide(float(profits.clip(lower=0).sum()), float(-profits.clip(upper=0).sum()))


def strategy_metrics(result: BacktestResult, equity: Equity) -> Metrics:
    """Figures of a backtest; profit, trades and fees from its orders, the rest from its account values."""
    profits = result.trades["profit_abs"]
    return _metrics(equity.daily, profits, float(result.orders["fee"].sum()))


def hold_metrics(holding: BuyAndHold) -> Metrics:
    """Figures of buy and hold, on the same definitions; each pair is one trade."""
    return _metrics(holding.equity.daily, holding.profits, holding.fees)


def _metrics(daily: pd.Series, profits: pd.Series, fees: float) -> Metrics:
    profit_abs = float(profits.sum())
    return Metrics(
        profit=profit_abs / float(daily.iloc[0]),
        profit_abs=profit_abs,
        sharpe=sharpe(daily),
        sortino=sortino(daily),
        calmar=calmar(daily),
        profit_factor=profit_factor(profits),
        max_drawdown=max_drawdown(daily),
        win_rate=float((profits > 0).mean()) if len(profits) else float("nan"),
        trades=len(profits),
        fees=fees,
        profit_at_twice_the_fee=(profit_abs - fees) / float(daily.iloc[0]),
    )


def _ratio(mean: float, spread: float) -> float:
    """Mean over spread, per year."""
    return _divide(float(mean), float(spread)) * float(DAYS_PER_YEAR**0.5)


def _divide(value: float, by: float) -> float:
    """``value / by``; by nothing, infinite with the sign of the value, and NaN for nothing by nothing."""
    if by > 1e-15:
        return value / by
    return float("nan") if abs(value) <= 1e-15 else float(np.copysign(np.inf, value))
