"""What the learners did in a run: phases and weight, pilot arms, ML against the baseline, calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd

from coordinator.decision.blending.posterior import max_drawdown, sharpe
from coordinator.learning.reliability import brier_skill, ece
from coordinator.reports.texts import UNDEFINED, number, percent

__all__ = [
    "CALIBRATION_HEAD",
    "SIDES_HEAD",
    "arm_rows",
    "calibration_rows",
    "confidence_rows",
    "direction_rows",
    "error_sentence",
    "mean_with_error",
    "phase_rows",
]

Rows = list[tuple[str, list[str]]]
SIDES_HEAD = ("Trades", "Per day", "Win rate", "Mean R", "Sharpe a day", "Profit factor", "Drawdown, R")
CALIBRATION_HEAD = ("Outcomes", "Base rate", "ECE", "Brier skill")
LEVELS = ((0.0, 0.0), (0.0, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.7))
REVIEW_DAYS = 30


def phase_rows(frame: pd.DataFrame) -> Rows:
    """The phases that a run went through, in order: first and last signal, signals, mean and last ML weight."""
    known = frame[frame["phase"] != ""]
    rows = []
    for _, part in known.groupby((known["phase"] != known["phase"].shift()).cumsum()):
        cells = [
            f"{part['time'].iloc[0]:%Y-%m-%d}",
            f"{part['time'].iloc[-1]:%Y-%m-%d}",
            f"{len(part):,}",
            percent(float(part["ml_weight"].mean())),
            percent(float(part["ml_weight"].iloc[-1])),
        ]
        rows.append((str(part["phase"].iloc[0]), cells))
    return rows


def confidence_rows(frame: pd.DataFrame) -> Rows:
    """Accepted signals by the say that ML had: how many, their mean R and its standard error."""
    taken = frame[frame["accepted"]]
    rows = []
    for low, high in LEVELS:
        weight = taken["ml_weight"]
        part = taken[(weight <= high) & ((weight > low) | (high == 0.0))]
        if len(part):
            name = "no say" if high == 0.0 else f"{low:.0%} to {high:.0%}"
            rows.append((name, [f"{len(part):,}", *mean_with_error(part["outcome_r"])]))
    return rows


def arm_rows(frame: pd.DataFrame) -> Rows:
    """The pilot phase's arms: signals, accepted, mean R of the accepted, its standard error."""
    rows = []
    for arm in ("blend", "baseline"):
        part = frame[frame["arm"] == arm]
        if len(part):
            taken = part[part["accepted"]]
            rows.append((arm, [f"{len(part):,}", f"{len(taken):,}", *mean_with_error(taken["outcome_r"])]))
    return rows


def direction_rows(
    frame: pd.DataFrame, ml_gate: pd.Series | None = None, baseline_gate: pd.Series | None = None
) -> Rows:
    """ML alone against the baseline alone, as virtual trades through the gate, in the whole run and its last 30 days.

    Both sides trade on every signal whose own percentile reaches the gate, whatever was decided, so the two can be
    compared in every phase.

    Parameters
    ----------
    ml_gate, baseline_gate : pandas.Series, optional
        Each side's own gate by the frame's index; the decisions' threshold by default.
    """
    gates = [frame["threshold"] if gate is None else gate for gate in (ml_gate, baseline_gate)]
    known = frame[frame["outcome_r"].notna()]
    if known.empty:
        return []
    recent = known[known["time"] > known["time"].iloc[-1] - pd.Timedelta(days=REVIEW_DAYS)]
    rows = []
    for span, part in (("whole run", known), (f"last {REVIEW_DAYS} days", recent)):
        sides = (("ML", part["ml_rank"]), ("baseline", part["technical_percentile"]))
        for (side, rank), gate in zip(sides, gates, strict=True):
            rows.append((f"{side}, {span}", _side(part[rank >= gate[part.index]], part)))
    return rows


def calibration_rows(frame: pd.DataFrame, won: pd.Series | None = None) -> Rows:
    """Win probability against what happened, over all signals and over the accepted.

    Parameters
    ----------
    won : pandas.Series of bool, optional
        What counts as won, by the frame's index; reaching the target by default.
    """
    if won is None:
        won = frame["outcome_exit"] == "target"
    known = frame[frame["outcome_r"].notna() & frame["win_probability"].notna()]
    rows = []
    for name, part in (("All signals", known), ("Accepted", known[known["accepted"]])):
        if part.empty:
            continue
        p, y = part["win_probability"].to_numpy(), won[part.index].to_numpy(dtype=bool)
        cells = [
            f"{len(part):,}",
            percent(float(y.mean())),
            number(ece(p, y), 4),
            number(brier_skill(p, y), 4),
        ]
        rows.append((name, cells))
    return rows


def error_sentence(frame: pd.DataFrame) -> str:
    """ML's false positives and negatives in words; empty without ML."""
    known = frame[frame["outcome_r"].notna() & frame["ml_rank"].notna()]
    if known.empty:
        return ""
    yes, gained = known["ml_rank"] >= 0.5, known["outcome_r"] > 0
    if yes.all() or not yes.any():
        said = "yes" if yes.all() else "no"
        return (
            f"ML said {said} to all {len(known):,} signals, and was right about {(yes == gained).mean():.1%}."
        )
    wrong, missed = float((~gained[yes]).mean()), float(gained[~yes].mean())
    return (
        f"ML said yes to {yes.mean():.0%} of {len(known):,} signals and was right about {(yes == gained).mean():.1%}: "
        f"{wrong:.1%} of its yes lost (false positives), {missed:.1%} of its no would have gained (false negatives)."
    )


def _side(taken: pd.DataFrame, all_of: pd.DataFrame) -> list[str]:
    r = taken["outcome_r"]
    days = max((all_of["time"].iloc[-1] - all_of["time"].iloc[0]) / pd.Timedelta(days=1), 1.0)
    if r.empty:
        return ["0", *[UNDEFINED] * (len(SIDES_HEAD) - 1)]
    daily = r.groupby(taken["time"].dt.floor("D")).sum().to_numpy()
    lost = -r[r < 0].sum()
    return [
        f"{len(r):,}",
        number(len(r) / days),
        percent(float((r > 0).mean())),
        number(float(r.mean()), 3),
        number(sharpe(daily), 3),
        number(float(r[r > 0].sum() / lost)) if lost > 0 else UNDEFINED,
        number(max_drawdown(daily), 1),
    ]


def mean_with_error(r: pd.Series) -> list[str]:
    """Mean R of the resolved ones, and its standard error."""
    known = r.dropna()
    error = float(known.std() / np.sqrt(len(known))) if len(known) > 1 else float("nan")
    return [number(float(known.mean()), 3), number(error, 3)]
