"""What a backtest is judged by: figures of a part of its days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from coordinator.errors import CoordinatorError
from coordinator.reports.metrics import calmar, max_drawdown, profit_factor, sharpe, sortino

__all__ = ["LABELS", "LIMITS", "Figures", "parse_objective", "part_figures", "score"]

LIMITS = {"sharpe": 10.0, "sortino": 20.0, "calmar": 20.0, "profit_factor": 10.0, "expectancy_r": 10.0}
"""Objectives, and the most that one of them counts: a lucky part without a loss is not to decide everything."""
LABELS = {
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "calmar": "Calmar",
    "profit_factor": "profit factor",
    "expectancy_r": "R per trade",
}


@dataclass(frozen=True)
class Figures:
    """Figures of some days of a backtest, by the definitions of :mod:`coordinator.reports.metrics`.

    Attributes
    ----------
    sharpe, sortino, calmar : per year, from daily account values, open positions included
    profit_factor, expectancy_r, trades : of the trades opened in these days; expectancy_r is the mean profit in R
        (initial risk), NaN without trades
    profit, max_drawdown : ratios
    """

    sharpe: float
    sortino: float
    calmar: float
    profit_factor: float
    expectancy_r: float
    profit: float
    max_drawdown: float
    trades: int

    def as_json(self) -> dict[str, float | int | str | None]:
        """What JSON has: None for what is undefined, "inf" and "-inf" for what nothing stood against."""
        return {name: _json_number(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, numbers: Mapping[str, Any]) -> Figures:
        """The figures again."""
        known: dict[str, Any] = {
            name: math.nan if value is None else float(value) if isinstance(value, str) else value
            for name, value in numbers.items()
        }
        return cls(**known)


def part_figures(daily: pd.Series, trades: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> Figures:
    """Figures from ``start`` to ``end``.

    Parameters
    ----------
    daily : account values by moment (UTC), of the whole backtest
    trades : open_date, profit_abs (stake currency), r (profit in R, NaN where unknown)
    """
    inside = daily[(daily.index >= start) & (daily.index <= end)]
    own = trades[(trades["open_date"] >= start) & (trades["open_date"] < end)]
    return Figures(
        sharpe=sharpe(inside),
        sortino=sortino(inside),
        calmar=calmar(inside),
        profit_factor=profit_factor(own["profit_abs"]),
        expectancy_r=float(own["r"].mean()),
        profit=float(inside.iloc[-1] / inside.iloc[0] - 1),
        max_drawdown=max_drawdown(inside),
        trades=len(own),
    )


def score(figures: Figures, objective: str) -> float:
    """The figure that is maximised; 0 where it is undefined, as an account that did nothing earned nothing.

    Examples
    --------
    >>> nothing = Figures(math.nan, math.nan, math.nan, math.inf, math.nan, 0.0, 0.0, 0)
    >>> score(nothing, "sharpe"), score(nothing, "profit_factor")
    (0.0, 10.0)
    """
    value, limit = float(getattr(figures, objective)), LIMITS[objective]
    return 0.0 if math.isnan(value) else max(-limit, min(limit, value))


def parse_objective(text: str) -> str:
    """An objective by name: ``sharpe`` or ``sharpe_ratio``, ``expectancy_r`` and so on."""
    name = text.strip().lower().replace("-", "_").removesuffix("_ratio")
    if name not in LIMITS:
        raise CoordinatorError("--objective", "coordinator optimize", f"be one of {', '.join(LIMITS)}", text)
    return name


def _json_number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)
