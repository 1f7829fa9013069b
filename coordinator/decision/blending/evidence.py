"""What a window of outcomes says about ML against the baseline: the numbers a review of the ML weight decides on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from coordinator.decision.blending.posterior import (
    accuracy_exceeds,
    design_effect,
    max_drawdown,
    sharpe,
    sharpe_exceeds,
)
from coordinator.settings.blending import BlendingSettings

__all__ = ["DayResults", "Evidence", "summarise_days"]


@dataclass(frozen=True)
class DayResults:
    """The outcomes of one step, ML present.

    Attributes
    ----------
    time : int, seconds since the epoch
    count, right : int, outcomes, and those that ML's yes or no got right
    ml, baseline : float, R of the virtual trades that each side accepts
    ml_count, baseline_count : int, how many they are
    total : float, R of all outcomes
    yes, yes_r : int and float, outcomes that ML said yes to (score at or above .5), and their R
    refused, refused_lost : int, outcomes that ML does not accept, and those of them with R <= 0
    """

    time: int
    count: int = 0
    right: int = 0
    ml: float = 0.0
    baseline: float = 0.0
    refused: int = 0
    refused_lost: int = 0
    ml_count: int = 0
    baseline_count: int = 0
    total: float = 0.0
    yes: int = 0
    yes_r: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """ML against the baseline on the same days.

    Attributes
    ----------
    outcomes, days : int
    right : int, outcomes that ML's yes or no got right
    p_bar, p_floor, p_breaker : float, posterior P(accuracy > bar), P(accuracy > floor), P(accuracy > breaker's)
    sharpe_ml, sharpe_baseline : float, of the days' R, not annualised
    p_sharpe, p_sharpe_step, p_sharpe_cut : float, P(ML's Sharpe > 1.0, 0.9, 0.8 x the baseline's)
    mean_ml, mean_baseline : float, R a day
    drawdown_ml, drawdown_baseline : float, R, >= 0
    """

    outcomes: int
    days: int
    right: int
    p_bar: float
    p_floor: float
    p_breaker: float
    sharpe_ml: float
    sharpe_baseline: float
    p_sharpe: float
    p_sharpe_step: float
    p_sharpe_cut: float
    mean_ml: float
    mean_baseline: float
    drawdown_ml: float
    drawdown_baseline: float

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0..1; NaN without outcomes."""
        return self.right / self.outcomes if self.outcomes else float("nan")


def summarise_days(window: Iterable[DayResults], settings: BlendingSettings) -> Evidence:
    """Sum up a window of days.

    Outcomes of one day are not independent; the posterior of the accuracy counts them as n / design effect, and
    Sharpe ratios are those of daily sums.
    """
    days = list(window)
    count, right = sum(day.count for day in days), sum(day.right for day in days)
    worth = design_effect([day.right for day in days], [day.count for day in days])
    hits, misses = right / worth, (count - right) / worth
    ml = np.array([day.ml for day in days], dtype=np.float64)
    base = np.array([day.baseline for day in days], dtype=np.float64)
    return Evidence(
        outcomes=count,
        days=len(days),
        right=right,
        p_bar=accuracy_exceeds(hits, misses, settings.accuracy_bar),
        p_floor=accuracy_exceeds(hits, misses, settings.accuracy_floor),
        p_breaker=accuracy_exceeds(hits, misses, settings.breaker_accuracy),
        sharpe_ml=sharpe(ml),
        sharpe_baseline=sharpe(base),
        p_sharpe=sharpe_exceeds(ml, base),
        p_sharpe_step=sharpe_exceeds(ml, base, settings.sharpe_step),
        p_sharpe_cut=sharpe_exceeds(ml, base, settings.sharpe_cut),
        mean_ml=float(ml.mean()) if days else 0.0,
        mean_baseline=float(base.mean()) if days else 0.0,
        drawdown_ml=max_drawdown(ml),
        drawdown_baseline=max_drawdown(base),
    )
