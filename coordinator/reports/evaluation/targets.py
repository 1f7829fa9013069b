"""The documented targets (spec 001 and 004) beside what was reached: a row each, in words, met or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coordinator.reports.evaluation.account_run import AccountRun

__all__ = ["TargetRow", "target_rows"]


@dataclass(frozen=True)
class Target:
    """A documented target.

    Attributes
    ----------
    source : document
    label : what is to be reached, with the number
    figure : of :class:`AccountFigures`, or "gain" (profit of ML over the baseline's, relative) or "false_signals"
        (change of the share of signals taken that lose, relative)
    low : reached from here on; with ``below`` up to here
    """

    source: str
    label: str
    figure: str
    low: float
    below: bool = False


TARGETS = (
    Target("001, rolling metrics", "win rate above 52 %", "win_rate", 0.52),
    Target("001, rolling metrics", "Sharpe ratio above 1.5", "sharpe", 1.5),
    Target("001, rolling metrics", "profit factor above 1.8", "profit_factor", 1.8),
    Target("001, rolling metrics", "drawdown below 5 %", "max_drawdown", 0.05, below=True),
    Target("001, pilot", "win rate 51 to 52 %", "win_rate", 0.51),
    Target("001, pilot", "Sharpe ratio 1.35 to 1.40", "sharpe", 1.35),
    Target("001, pilot", "profit 2 to 5 % above the baseline's", "gain", 0.02),
    Target("001, expansion", "profit 5 to 10 % above the baseline's", "gain", 0.05),
    Target("001, optimization", "win rate 54 to 58 %", "win_rate", 0.54),
    Target("001, optimization", "Sharpe ratio 1.60 to 1.80", "sharpe", 1.6),
    Target("001, optimization", "profit factor 1.8 to 2.2", "profit_factor", 1.8),
    Target("001, optimization", "profit 15 to 25 % above the baseline's", "gain", 0.15),
    Target("001, from month 6", "win rate above 55 %", "win_rate", 0.55),
    Target("001, from month 6", "Sharpe ratio above 1.8", "sharpe", 1.8),
    Target("001, from month 6", "profit factor above 2.0", "profit_factor", 2.0),
    Target("001, from month 6", "profit 20 % above the baseline's", "gain", 0.2),
    Target("004", "win rate 78 to 83 %", "win_rate", 0.78),
    Target("004", "Sharpe ratio 2.5 to 3.2", "sharpe", 2.5),
    Target("004", "drawdown 10 to 13 %", "max_drawdown", 0.13, below=True),
    Target("004", "profit factor 1.9 to 2.4", "profit_factor", 1.9),
    Target("004", "profit 18 to 25 % above the baseline's", "gain", 0.18),
    Target("004", "false signals 25 to 35 % fewer", "false_signals", -0.25, below=True),
)


@dataclass(frozen=True)
class TargetRow:
    """A target, what the baseline and ML reached (NaN where undefined), and the verdict on ML."""

    source: str
    label: str
    figure: str
    baseline: float
    ml: float
    verdict: str


def target_rows(baseline: AccountRun, ml: AccountRun) -> list[TargetRow]:
    """Every target. A figure of the whole time stands for the document's, whatever window that had in mind."""
    rows = []
    for target in TARGETS:
        mine, theirs = _reached(target, ml, baseline), _reached(target, baseline, baseline)
        verdict = "unknown"
        if not math.isnan(mine):
            verdict = "met" if (mine <= target.low if target.below else mine >= target.low) else "not met"
        rows.append(TargetRow(target.source, target.label, target.figure, theirs, mine, verdict))
    return rows


def _reached(target: Target, run: AccountRun, baseline: AccountRun) -> float:
    if target.figure == "gain":
        ours, own = baseline.figures.profit, run.figures.profit
        return (own - ours) / abs(ours) if ours else math.nan
    if target.figure == "false_signals":
        return false_share(run) / false_share(baseline) - 1
    return float(getattr(run.figures, target.figure))


def false_share(run: AccountRun) -> float:
    """Share of the signals taken that resolved at R of 0 or less; NaN without any."""
    return run.false_signals / run.accepted if run.accepted > 0 else math.nan
