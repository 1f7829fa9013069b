"""One backtest of an evaluation, as the worker that ran it leaves it: numbers as JSON, nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from coordinator.reports.equity import Equity
from coordinator.reports.metrics import DAYS_PER_YEAR, calmar, max_drawdown, profit_factor, sharpe, sortino
from coordinator.reports.results import BacktestResult
from coordinator.reports.texts import finite_json

__all__ = ["AccountFigures", "AccountRun", "MlSay", "SkillRow", "account_run", "exposure_of", "no_account"]


@dataclass(frozen=True)
class SkillRow:
    """How well a score tells good signals from bad, on signals that no model was trained on.

    Attributes
    ----------
    name : a component, "vote" (their weighted mean) or "decision" (the calibrated win probability)
    signals : resolved signals with a score
    auc, auc_error : of the score for R above 0, and its standard error under no skill
    brier, ece : of the score read as a probability that R is above 0
    mean_r, top_r : of all these signals, and of the tenth that scores best in its quarter
    """

    name: str
    signals: int
    auc: float
    auc_error: float
    brier: float
    ece: float
    mean_r: float
    top_r: float


@dataclass(frozen=True)
class MlSay:
    """How much ML said: share of the signals it had a weight in, mean weight of those, weight and phase at the end."""

    share: float
    mean_weight: float
    last_weight: float
    phase: str


@dataclass(frozen=True)
class AccountFigures:
    """Figures of one account, by the definitions of :mod:`coordinator.reports.metrics`; NaN where undefined.

    Attributes
    ----------
    profit : ratio, of the whole time
    yearly : ratio, compounded per year
    exposure : mean value of open positions at their cost over the account, ratio
    turnover : value of all orders over the account, per year
    fees : stake currency
    """

    profit: float
    yearly: float
    sharpe: float
    sortino: float
    calmar: float
    profit_factor: float
    max_drawdown: float
    win_rate: float
    trades: int
    exposure: float
    turnover: float
    fees: float


@dataclass(frozen=True)
class AccountRun:
    """A backtest's account.

    Attributes
    ----------
    name : of the variant
    daily : pandas.Series
        Account values by moment (UTC): the start, every midnight, the end; empty where the run has a problem.
    profits : tuple of float
        Of every trade, stake currency, in closing order.
    fees, traded : float
        Stake currency: fees of all orders, and their value.
    exposure : float
        Mean value of open positions at their cost over the account.
    entries : mapping of "longs" and "shorts" to trades by pair
    accepted, false_signals : int
        Signals taken, and those of them that resolved at R of 0 or less; -1 where there are no signals.
    skill : tuple of SkillRow
    say : MlSay or None
    seconds : float
        The run took.
    problem : str
        Why there is no account: settings that are refused, or Freqtrade's reason.
    """

    name: str
    daily: pd.Series
    profits: tuple[float, ...] = ()
    fees: float = 0.0
    traded: float = 0.0
    exposure: float = 0.0
    entries: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    accepted: int = -1
    false_signals: int = -1
    skill: tuple[SkillRow, ...] = ()
    say: MlSay | None = None
    seconds: float = 0.0
    problem: str = ""

    @property
    def figures(self) -> AccountFigures:
        """The account's figures."""
        daily, profits = self.daily, pd.Series(self.profits, dtype=np.float64)
        years = (daily.index[-1] - daily.index[0]) / pd.Timedelta(days=DAYS_PER_YEAR)
        growth = max(float(daily.iloc[-1] / daily.iloc[0]), 0.0)
        return AccountFigures(
            profit=float(daily.iloc[-1] / daily.iloc[0]) - 1,
            yearly=float(growth ** (1 / years)) - 1,
            sharpe=sharpe(daily),
            sortino=sortino(daily),
            calmar=calmar(daily),
            profit_factor=profit_factor(profits),
            max_drawdown=max_drawdown(daily),
            win_rate=float((profits > 0).mean()) if len(profits) else math.nan,
            trades=len(profits),
            exposure=self.exposure,
            turnover=self.traded / float(daily.mean()) / years,
            fees=self.fees,
        )

    def to_json(self) -> str:
        """Everything as JSON."""
        values = asdict(self)
        del values["daily"]
        values["time"] = [int(moment.timestamp()) for moment in self.daily.index]
        values["value"] = [round(float(value), 6) for value in self.daily]
        return json.dumps(finite_json(values), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> AccountRun:
        """Inverse of ``to_json``.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is of another form.
        """
        known: dict[str, Any] = _with_nan(json.loads(text))
        index = pd.to_datetime(known.pop("time"), unit="s", utc=True).as_unit("us")
        daily = pd.Series(known.pop("value"), index=index, dtype=np.float64)
        known["skill"] = tuple(SkillRow(**row) for row in known["skill"])
        known["profits"] = tuple(known["profits"])
        known["say"] = None if known["say"] is None else MlSay(**known["say"])
        return cls(daily=daily, **known)


def account_run(name: str, result: BacktestResult, equity: Equity, seconds: float) -> AccountRun:
    """A run's account, without what only its signals tell."""
    orders, trades = result.orders, result.trades
    entries = {
        side: {
            str(pair): int(n)
            for pair, n in trades.loc[trades["is_short"] == short, "pair"].value_counts().items()
        }
        for side, short in (("longs", False), ("shorts", True))
    }
    return AccountRun(
        name=name,
        daily=equity.daily,
        profits=tuple(round(float(value), 6) for value in trades["profit_abs"]),
        fees=float(orders["fee"].sum()),
        traded=float((orders["amount"].abs() * orders["price"]).sum()),
        exposure=exposure_of(result, equity.daily),
        entries=entries,
        seconds=round(seconds, 2),
    )


def no_account(name: str, problem: str) -> AccountRun:
    """What stands for an account that could not be made, and why."""
    return AccountRun(
        name, pd.Series(dtype=np.float64, index=pd.DatetimeIndex([], tz="UTC")), problem=problem
    )


def exposure_of(result: BacktestResult, daily: pd.Series) -> float:
    """Mean value of open positions at their cost, over the account's value at their opening; ratio."""
    trades = result.trades
    if trades.empty:
        return 0.0
    value = (trades["max_stake_amount"] * trades["leverage"]).to_numpy()
    closed = trades["close_date"].fillna(result.end)
    seconds = (closed - trades["open_date"]).dt.total_seconds().to_numpy()
    at_open = daily.reindex(trades["open_date"], method="ffill").to_numpy()
    return float((value / at_open * seconds).sum() / (result.end - result.start).total_seconds())


def _with_nan(known: dict[str, Any]) -> dict[str, Any]:
    for row in known["skill"]:
        row |= {name: math.nan for name, value in row.items() if value is None}
    if known["say"] is not None:
        known["say"] |= {name: math.nan for name, value in known["say"].items() if value is None}
    return known
