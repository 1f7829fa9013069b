"""A study's conclusion on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from coordinator.jobs.optimize.conclusion import Conclusion
from coordinator.jobs.optimize.figures import LABELS, LIMITS, Figures, score
from coordinator.jobs.optimize.problem import Problem
from coordinator.reports.texts import number, percent

__all__ = ["figure_rows", "importance_lines", "luck_lines", "print_conclusion", "value_rows"]

BAR = 30  # characters of the whole
ROWS = {**LABELS, "profit": "profit", "max_drawdown": "drawdown", "trades": "trades"}


def print_conclusion(conclusion: Conclusion, problem: Problem, console: Console) -> None:
    """Print the winner beside the config's own settings, what matters, and how likely it is luck."""
    table = Table(title=f"Trial {conclusion.best.number}", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("setting", "config", "optimized"):
        table.add_column(name, justify="left" if name == "setting" else "right")
    for setting in value_rows(conclusion):
        table.add_row(*setting)
    console.print(table)
    head, rows = figure_rows(conclusion)
    table = Table(title="Means over the folds, and the holdout", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("", *head):
        table.add_column(name.replace(" ", "\n"), justify="left" if not name else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for line in (*importance_lines(conclusion.importance), *luck_lines(conclusion, problem)):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def value_rows(conclusion: Conclusion) -> list[tuple[str, str, str]]:
    """Each tuned setting: its name, the config's value, the winner's."""
    return [(name, str(conclusion.own[name]), str(value)) for name, value in conclusion.values.items()]


def figure_rows(conclusion: Conclusion) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of the figures: train, validation and holdout of the winner and of the config."""
    best, own = conclusion.best.user_attrs["folds"], conclusion.own_folds
    columns = [
        *(_mean(best, "train"), _mean(best, "validation"), conclusion.holdout.best),
        *(_mean(own, "train"), _mean(own, "validation"), conclusion.holdout.own),
    ]
    parts = ("train", "validation", "holdout")
    head = (*(f"optimized {part}" for part in parts), *(f"config {part}" for part in parts))
    rows = []
    for name, label in ROWS.items():
        show = percent if name in ("profit", "max_drawdown") else number
        cells = [show(float(getattr(column, name))) for column in columns]
        rows.append((label, *(cell.removesuffix(".00") if name == "trades" else cell for cell in cells)))
    return head, rows


def importance_lines(importance: Mapping[str, float]) -> list[str]:
    """A bar chart in text."""
    if not importance:
        return ["Parameter importance: the trials do not differ enough to tell"]
    width = max(map(len, importance))
    return [
        "Parameter importance (fANOVA):",
        *(
            f"  {name:<{width}}  {share:6.1%}  {'█' * round(BAR * share)}"
            for name, share in importance.items()
        ),
    ]


def luck_lines(conclusion: Conclusion, problem: Problem) -> list[str]:
    """The overfitting statistics and warnings, and what the holdout is still worth."""
    luck, looks = conclusion.luck, conclusion.holdout
    found = luck.overfitting
    lines = [
        f"Probability of backtest overfitting: {percent(found.probability)} ({found.trials} trials with all "
        f"{found.days} days, {found.blocks} blocks); the winner of one half loses money on the other in "
        f"{percent(found.loss)}",
        f"Deflated Sharpe ratio: {percent(luck.deflated_sharpe)} (validation days; {luck.trials} trials, spread of "
        f"their Sharpe ratios {number(luck.spread)} a year)",
    ]
    period = f"{problem.periods.holdout_start:%Y-%m-%d} to {problem.periods.holdout_end:%Y-%m-%d}"
    seen = "looked at for the first time"
    if looks.again:
        seen = f"looked at before, on {looks.at}: these are the figures of then"
    if looks.others:
        numbers = ", ".join(map(str, looks.others))
        seen += f"; so were winners of this study before (trials {numbers}): it is no longer untouched"
    lines.append(f"Holdout {period}: {seen}")
    return [*lines, *(f"WARNING: {text}" for text in luck.warnings)]


def _mean(folds: list[dict[str, Any]], part: str) -> Figures:
    """Mean of each figure over the folds, as the search takes it; the sum of the trades."""
    known = [Figures.from_json(fold[part]) for fold in folds]
    means = {name: float(np.mean([score(figures, name) for figures in known])) for name in LIMITS}
    return Figures(
        **means,
        profit=float(np.mean([figures.profit for figures in known])),
        max_drawdown=float(np.mean([figures.max_drawdown for figures in known])),
        trades=sum(figures.trades for figures in known),
    )
