"""ML's say, what became of the signals, and the components."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from coordinator.reports.decisions import component_rows, group_rows, rejection_rows
from coordinator.reports.learning import (
    CALIBRATION_HEAD,
    SIDES_HEAD,
    arm_rows,
    calibration_rows,
    confidence_rows,
    direction_rows,
    error_sentence,
    phase_rows,
)
from coordinator.reports.page.chart import Section, Table, chart
from coordinator.reports.page.data import PageData
from coordinator.reports.page.figures import decisions as figures
from coordinator.reports.page.run_view import RunView
from coordinator.reports.page.summary import resolved
from coordinator.reports.skill import SKILL_HEAD, skill_rows
from coordinator.reports.texts import UNDEFINED, percent

__all__ = ["components_section", "say_section", "signals_section"]

GROUP_HEAD = ("Count", "Resolved", "Mean R", "Standard error", "Reached target")
COMPONENT_HEAD = (
    "Votes", "Voted on", "Agrees", "Mean confidence", "Mean percentile", "Mean R, agrees", "Mean R, holds or against",
)  # fmt: skip
REVIEW = ("time", "phase", "ml_weight", "reason")
MORE = "More tables"
NO_LEDGER = "There is no ledger of these runs."
NO_OUTCOME = "No signal has a known outcome yet."
NO_SIGNAL = "The ledger holds no signals."
NO_ML = "ML took no part in this run: no trained component voted."


def say_section(data: PageData) -> Section:
    """Weight and phases, thresholds and their mistakes, reliability."""
    run, title = data.main, "ML's say"
    if run is None or run.frame.empty:
        return Section("say", title, texts=(NO_LEDGER if run is None else NO_SIGNAL,))
    frame, view = run.frame, run.rolling
    blended = frame["phase"].ne("").any() or not run.weights.empty
    weights = run.weights if run.has_ml else run.weights.iloc[:0]
    charts = [
        chart(
            "weight",
            "ML weight and phases",
            "The part of ML in the confidence that decides; it changes at reviews, and the phase is named above.",
            figures.weight_figure(frame, weights, run.end)
            if run.has_ml or (frame["ml_weight"] > 0).any()
            else None,
            NO_ML if not blended or not run.has_ml else "No review has set a weight yet.",
            "wide",
        ),
        chart(
            "thresholds",
            "Thresholds",
            "The confidence from which a signal is taken, at the last signal of each pair.",
            figures.threshold_figure(view) if view is not None else None,
            NO_SIGNAL,
        ),
        chart(
            "errors",
            "Mistakes of the threshold",
            "Shares of the window's outcomes on both sides of it; good thresholds keep both low.",
            figures.error_rate_figure(view) if view is not None else None,
            NO_OUTCOME,
        ),
        chart(
            "reliability",
            "Reliability of the win probability",
            "On the dotted line, what was called 30 % was won 30 % of the time; bars are two standard errors.",
            figures.reliability_figure(*resolved(run)),
            "No win probability with a known outcome yet: calibration begins once it has seen enough outcomes.",
            "wide",
        ),
    ]
    mistakes = error_sentence(frame)
    return Section(
        "say", title, charts=charts, tables=_say_tables(run), texts=(mistakes,) if mistakes else ()
    )


def _say_tables(run: RunView) -> list[Table]:
    frame = run.frame
    reviews = [
        (f"{time:%Y-%m-%d}", [str(phase), percent(float(weight or 0.0)), str(reason)])
        for time, phase, weight, reason in run.weights.iloc[::-1][list(REVIEW)].itertuples(index=False)
    ]
    tables = [
        Table("ML against the baseline", ("Side", *SIDES_HEAD), _sides(run)),
        Table("Win probability", ("Signals", *CALIBRATION_HEAD), calibration_rows(frame, run.won)),
        Table(
            "ML's say in accepted signals",
            ("Weight", "Count", "Mean R", "Standard error"),
            confidence_rows(frame),
        ),
        Table("Pilot arms", ("Arm", "Signals", "Accepted", "Mean R", "Standard error"), arm_rows(frame)),
        Table(
            "Phases",
            ("Phase", "From", "To", "Signals", "Mean ML weight", "Last ML weight"),
            phase_rows(frame),
            folded=MORE,
        ),
        Table("Reviews of the weight, newest first", ("Day", "Phase", "Weight", "Why"), reviews, folded=MORE),
    ]
    return [table for table in tables if table.rows]


def _sides(run: RunView) -> list[tuple[str, list[str]]]:
    """Each side by its own gate, of the signals that a confidence could have taken."""
    could = pd.Series(run.run.could_be_taken[run.own])
    gates = (pd.Series(gate[run.own]) for gate in (run.run.gate, run.run.baseline_gate))
    return direction_rows(run.frame[could], *gates)


def signals_section(data: PageData) -> Section:
    """What accepted and rejected signals came to."""
    run, title = data.main, "Accepted and rejected"
    if run is None or run.frame.empty:
        return Section("signals", title, texts=(NO_LEDGER if run is None else NO_SIGNAL,))
    charts = [
        chart(
            "outcomes",
            "R accepted and rejected",
            "A good gate has accepted right of rejected; whiskers that overlap are no difference.",
            figures.outcome_figure(run.frame) if run.frame["outcome_r"].notna().any() else None,
            NO_OUTCOME,
        ),
        chart(
            "distribution",
            "Distribution of R",
            "Most lose the one unit that they risk; the tail on the right pays for it.",
            figures.r_distribution_figure(run.frame),
            NO_OUTCOME,
        ),
    ]
    tables = []
    for other in data.runs:
        name = other.run.strategy
        folded = "" if other is run else name
        tables.append(Table(f"{name}: signals", ("Signals", *GROUP_HEAD), group_rows(other.frame), folded))
        rejected = rejection_rows(other.frame)
        if rejected:
            tables.append(Table(f"{name}: reasons for rejection", ("Reason", *GROUP_HEAD), rejected, folded))
    notes = (
        "R is the profit in units of the initial risk, after costs, of a virtual trade with the signal's own stop, "
        "target and horizon. Rejected signals have one too.",
        "A difference of less than about two standard errors is none. In the charts signals of one week count as one.",
    )
    texts = tuple(f"No ledger was given for {name}." for name in data.unrecorded)
    return Section("signals", title, charts=charts, tables=tables, texts=texts, notes=notes)


def components_section(data: PageData) -> Section:
    """How good each component is, how much it counts, and how sure it is."""
    run, title = data.main, "Components"
    if run is None or run.frame.empty:
        return Section("components", title, texts=(NO_LEDGER if run is None else NO_SIGNAL,))
    frame, view = run.frame, run.rolling
    charts = [
        chart(
            "accuracy",
            "Accuracy of each component",
            "How often its yes or no was right over the whole run; left of the dashed line a coin is better.",
            figures.accuracy_figure(frame),
            NO_OUTCOME,
        ),
        chart(
            "votes",
            "Weights in ML's vote",
            "How much each component counts among the others; they add up to 100 where all are present.",
            figures.vote_weight_figure(run.vote_weights),
            "No vote weights were kept: " + ("none were learned yet." if run.has_ml else NO_ML),
        ),
        chart(
            "auc",
            "Skill over time",
            "How well each tells gains from losses over the window: .5 is none, and a window has few outcomes.",
            figures.auc_figure(view) if view is not None else None,
            NO_OUTCOME,
            "wide",
        ),
        chart(
            "confidence",
            "Confidence, own scale",
            "How sure each component says it is.",
            figures.confidence_figure(frame, "confidence"),
            "No component gave a confidence.",
        ),
        chart(
            "percentile",
            "Confidence, common scale",
            "The same as a percentile of the pair's last signals: level lines are what is wanted.",
            figures.confidence_figure(frame, "percentile"),
            "No percentile is known before a pair has enough signals.",
        ),
    ]
    return Section("components", title, charts=charts, tables=_component_tables(data.runs, run))


def _component_tables(runs: Sequence[RunView], main: RunView) -> list[Table]:
    tables = []
    for run in (main, *(other for other in runs if other is not main)):
        name = run.run.strategy
        folded = "" if run is main else name
        skill = skill_rows(run.frame)
        tables.append(
            Table(f"{name}: components", ("Component", *COMPONENT_HEAD), component_rows(run.frame), folded)
        )
        tables.append(
            Table(
                f"{name}: what tells good signals from bad",
                ("Score", *SKILL_HEAD),
                skill,
                folded=folded or MORE,
            )
        )
    absent = _absences(main.drops[main.drops["time"] >= main.since])
    if absent:
        tables.append(
            Table("Absent components", ("Component", "Reason", "Times", "Last"), absent, folded=MORE)
        )
    return tables


def _absences(drops: pd.DataFrame) -> list[tuple[str, list[str]]]:
    if drops.empty:
        return []
    counted = drops.groupby(["component", "reason"])["time"].agg(["size", "max"]).reset_index()
    return [
        (
            str(row["component"]),
            [str(row["reason"]) or UNDEFINED, f"{row['size']:,}", f"{row['max']:%Y-%m-%d}"],
        )
        for row in counted.sort_values("size", ascending=False).to_dict("records")
    ]
