"""The documented targets (spec 001 and 004) beside what was reached: a row each, in words, met or not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.evaluation import BASELINE, UNEARNED

__all__ = ["TargetRow", "contribution_rows", "false_share", "target_rows"]


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
    Target("001, expansion", "win rate 52 to 54 %", "win_rate", 0.52),
    Target("001, expansion", "Sharpe ratio 1.40 to 1.50", "sharpe", 1.4),
    Target("001, expansion", "profit 5 to 10 % above the baseline's", "gain", 0.05),
    Target("001, optimization", "win rate 54 to 58 %", "win_rate", 0.54),
    Target("001, optimization", "Sharpe ratio 1.60 to 1.80", "sharpe", 1.6),
    Target("001, optimization", "profit factor 1.8 to 2.2", "profit_factor", 1.8),
    Target("001, optimization", "profit 15 to 25 % above the baseline's", "gain", 0.15),
    Target("001, months 3 and 4", "win rate above 52 %", "win_rate", 0.52),
    Target("001, months 3 and 4", "Sharpe ratio above 1.5", "sharpe", 1.5),
    Target("001, months 3 and 4", "profit 10 % above the baseline's", "gain", 0.1),
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
class Contribution:
    """What a document hopes of a part: the account with it against the one without.

    Attributes
    ----------
    whole, without : names of the accounts
    figure : as of a target, or "average_profit" (of a trade)
    low : change from here on, in points of a ratio or Sharpe ratios; with ``relative`` as a share of the one without;
        with ``below`` down to here
    """

    source: str
    label: str
    whole: str
    without: str
    figure: str
    low: float
    relative: bool = False
    below: bool = False


def _of(
    source: str, whole: str, without: str, *hopes: tuple[str, str, float, bool, bool]
) -> list[Contribution]:
    return [
        Contribution(source, label, whole, without, figure, low, relative, below)
        for label, figure, low, relative, below in hopes
    ]


FEWER_FALSE = "false_signals"
EXITS = "all adaptive exits"
CONTRIBUTIONS = (
    *_of(
        "004, LSTM",
        UNEARNED,
        "without lstm",
        ("win rate 3 to 5 points higher", "win_rate", 0.03, False, False),
        ("Sharpe ratio .2 to .3 higher", "sharpe", 0.2, False, False),
        ("false signals 10 to 15 % fewer", FEWER_FALSE, -0.10, True, True),
    ),
    *_of(
        "004, fusion",
        UNEARNED,
        "without fusion",
        ("win rate 5 to 7 points higher", "win_rate", 0.05, False, False),
        ("Sharpe ratio .3 to .5 higher", "sharpe", 0.3, False, False),
        ("drawdown 15 to 20 % smaller", "max_drawdown", -0.15, True, True),
        ("false signals 20 to 30 % fewer", FEWER_FALSE, -0.20, True, True),
    ),
    *_of(
        "004, Q-learning",
        UNEARNED,
        "without selector",
        ("Sharpe ratio .15 to .25 higher", "sharpe", 0.15, False, False),
    ),
    *_of(
        "004, adaptive exits",
        EXITS,
        BASELINE,
        ("profit of a trade 15 to 20 % higher", "average_profit", 0.15, True, False),
        ("win rate 2 to 3 points higher", "win_rate", 0.02, False, False),
        ("drawdown 15 to 20 % smaller", "max_drawdown", -0.15, True, True),
    ),
)
"""Without: its weight is 0 (a component), or the baseline (exits). Adverse excursion and what cannot be told of an
account (pattern recognition, regime matching, capital efficiency) are not measured."""


@dataclass(frozen=True)
class TargetRow:
    """A target, what was reached without and with ML or a part (NaN where undefined), and the verdict."""

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
        verdict = _verdict(mine, target.low, target.below)
        rows.append(TargetRow(target.source, target.label, target.figure, theirs, mine, verdict))
    return rows


def contribution_rows(accounts: Mapping[str, AccountRun]) -> list[TargetRow]:
    """What each part was hoped to add, beside the figures without and with it, where both accounts are there."""
    rows = []
    for hope in CONTRIBUTIONS:
        whole, without = accounts.get(hope.whole), accounts.get(hope.without)
        if whole is None or without is None or whole.problem or without.problem:
            continue
        before, after = _figure(hope.figure, without), _figure(hope.figure, whole)
        change = after - before
        if hope.relative:
            change = change / abs(before) if before else math.nan
        verdict = _verdict(change, hope.low, hope.below)
        rows.append(TargetRow(hope.source, hope.label, hope.figure, before, after, verdict))
    return rows


def _verdict(reached: float, low: float, below: bool) -> str:
    if math.isnan(reached):
        return "unknown"
    exact = round(reached, 12)  # .8 - 1 is not -.2 in binary
    return "met" if (exact <= low if below else exact >= low) else "not met"


def _figure(name: str, run: AccountRun) -> float:
    if name == FEWER_FALSE:
        return false_share(run)
    if name == "average_profit":
        return sum(run.profits) / len(run.profits) if run.profits else math.nan
    return float(getattr(run.figures, name))


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
