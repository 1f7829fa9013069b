"""Tables of targets, skill, years, market states, random entries and starts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coordinator.reports.evaluation.account_run import AccountRun, SkillRow
from coordinator.reports.evaluation.evaluation import BASELINE, HOLD, ML, UNEARNED, Evaluation
from coordinator.reports.evaluation.luck import random_controls
from coordinator.reports.evaluation.periods import Part, by_regime, by_year
from coordinator.reports.evaluation.tables.table import Table
from coordinator.reports.evaluation.targets import TargetRow, contribution_rows, target_rows
from coordinator.reports.texts import UNDEFINED, number, percent

__all__ = [
    "SHOWN",
    "contributions_table",
    "problems_table",
    "random_table",
    "regimes_table",
    "skill_table",
    "starts_table",
    "targets_table",
    "years_table",
]

SHOWN = (ML, BASELINE, UNEARNED, "quality replaces", HOLD)
"""Accounts by year and by state of the market."""
QUANTILES = (0.05, 0.5, 0.95)


def targets_table(e: Evaluation) -> Table:
    """The documented targets beside what was reached."""
    base, ml = e.account(BASELINE), e.account(ML)
    rows = [] if base is None or ml is None else target_rows(base, ml)
    return Table(
        "Documented targets",
        ("Target", "Document", BASELINE, ML, "Verdict"),
        tuple(map(_target_cells, rows)),
        "Hopes of the documents, measured over the whole time; gains and false signals relative to the baseline's.",
    )


def contributions_table(e: Evaluation) -> Table:
    """What each part was hoped to add."""
    return Table(
        "Documented contributions of the parts",
        ("Hope", "Document", "Without it", "With it", "Verdict"),
        tuple(map(_target_cells, contribution_rows(e.accounts))),
        f'Components: "{UNEARNED}", without: a weight of 0 in it. Adaptive exits: all of them on in TechnicalBaseline.',
    )


def _target_cells(row: TargetRow) -> tuple[str, ...]:
    shown = ("win_rate", "max_drawdown", "gain", "false_signals")
    text = percent if row.figure in shown else number
    return (row.label, row.source, text(row.baseline), text(row.ml), row.verdict)


def skill_table(e: Evaluation) -> Table:
    """Skill of every score, and of the controls in its place."""
    head = ("", "Score", "Signals", "AUC", "Error", "Brier", "ECE", "R of all", "R of the best tenth")
    rows = []
    models = [run.name for run in e.known("models")]
    for name in (ML, *models, "shuffled labels", "noise 0"):
        run = e.account(name)
        rows_of = run.skill if run else ()
        for row in rows_of if name not in models else _of_models(rows_of):
            cells = (f"{row.signals:,}", number(row.auc, 3), number(row.auc_error, 3), number(row.brier, 3))
            rows.append((name, row.name, *cells, number(row.ece, 3), number(row.mean_r), number(row.top_r)))
    note = (
        "On resolved signals that no model was trained on, taken or not. AUC of R above 0, .5 is no skill; the error "
        "takes signals as independent, which neighbours are not. Brier and ECE read a component's confidence in the "
        "signal as a probability, which only the decision's (the calibrated win probability) claims to be. Best tenth: "
        "of each quarter."
    )
    return Table("Skill of each component, and of its controls", head, tuple(rows), note)


def _of_models(rows: tuple[SkillRow, ...]) -> list[SkillRow]:
    """The trained model's row alone: nothing else has a weight there."""
    return [row for row in rows if row.name in ("lstm", "attention", "quality")]


def years_table(e: Evaluation) -> Table:
    """The shown accounts' years."""
    return _periods("By year", [(run, by_year(run)) for run in _shown(e)])


def regimes_table(e: Evaluation) -> Table:
    """The shown accounts' days by the state of the market."""
    found = [(run, by_regime(run, e.regimes)) for run in _shown(e)]
    return _periods("By state of the market", found, "The state is known when a day begins; days chained.")


def _shown(e: Evaluation) -> list[AccountRun]:
    return [run for run in map(e.account, SHOWN) if run is not None]


def _periods(title: str, found: Sequence[tuple[AccountRun, list[Part]]], note: str = "") -> Table:
    names = list(dict.fromkeys(part.name for _, parts in found for part in parts))
    rows = []
    for name in names:
        row, days = [], 0
        for _, parts in found:
            part = next((part for part in parts if part.name == name), None)
            days = part.days if part else days
            text = UNDEFINED if part is None else f"{percent(part.profit, sign=True)}, {number(part.sharpe)}"
            row.append(text)
        rows.append((name, str(days), *row))
    head = ("", "Days", *(run.name for run, _ in found))
    return Table(title, head, tuple(rows), " ".join(filter(None, ("Profit and Sharpe ratio.", note))))


def random_table(e: Evaluation) -> Table:
    """The baseline among random entries."""
    found, base = random_controls(e), e.account(BASELINE)
    if found is None or base is None:
        return Table("Random entries", (), ())
    own, rows = base.figures, []
    for label, values, mine, text in (
        ("Sharpe ratio", found.sharpe, own.sharpe, number),
        ("Profit", found.profit, own.profit, percent),
        ("Exposure", found.exposure, own.exposure, percent),
    ):
        cells = [text(float(value)) for value in np.quantile(values, QUANTILES)]
        rows.append((label, *cells, text(mine), f"{float((values < mine).mean()):.0%}"))
    what = "the baseline's exits, stops and sizes, entered at random candles, as exposed as it is"
    note = f"{len(found.sharpe)} seeds: {what}."
    return Table("Random entries", ("", "5 %", "50 %", "95 %", BASELINE, "above"), tuple(rows), note)


def starts_table(e: Evaluation) -> Table:
    """The baseline begun later."""
    runs = e.known("starts")
    rows = tuple(
        (
            run.name,
            percent(f.profit, sign=True),
            percent(f.yearly, sign=True),
            number(f.sharpe),
            percent(f.max_drawdown),
        )
        for run, f in ((run, run.figures) for run in runs)
    )
    won = sum(run.figures.profit > 0 for run in runs)
    note = f"TechnicalBaseline; {won} of {len(runs)} in profit." if runs else ""
    return Table("Begun later", ("", "Profit", "A year", "Sharpe", "Max drawdown"), rows, note, folded=True)


def problems_table(e: Evaluation) -> Table:
    """What has no account, and why."""
    rows = tuple((run.name, run.problem) for run in e.accounts.values() if run.problem)
    return Table("Not run", ("", "Why"), rows)
