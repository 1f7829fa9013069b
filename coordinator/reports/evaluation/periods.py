"""Accounts by year and by the state of the market."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.metrics import sharpe

__all__ = ["Part", "by_regime", "by_year"]


@dataclass(frozen=True)
class Part:
    """Some days of an account.

    Attributes
    ----------
    name : the year, or the state
    days : int
    profit : ratio; of a state all its days chained, though they lie apart
    sharpe : per year
    """

    name: str
    days: int
    profit: float
    sharpe: float


def by_year(run: AccountRun) -> list[Part]:
    """An account's calendar years (UTC); the first and the last may be parts of one."""
    returns = run.daily.pct_change().dropna()
    # A day's return stands at its end, the next midnight.
    years = (pd.DatetimeIndex(returns.index) - pd.Timedelta(hours=1)).year
    return [_part(str(year), returns[years == year]) for year in sorted(set(years))]


def by_regime(run: AccountRun, regimes: pd.Series) -> list[Part]:
    """An account's days by the state that was known when they began; days without one are left out."""
    returns = run.daily.pct_change().dropna()
    state = regimes.reindex(run.daily.index[:-1]).to_numpy()  # known at each day's start
    names = [name for name in dict.fromkeys(regimes) if (state == name).any()]
    return [_part(str(name), returns[state == name]) for name in sorted(names)]


def _part(name: str, returns: pd.Series) -> Part:
    account = pd.Series([1.0, *(1 + returns).cumprod()])
    return Part(name, len(returns), float(account.iloc[-1]) - 1, sharpe(account))
