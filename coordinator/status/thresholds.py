"""The confidence that each pair's signals need, how many reach it, and the mistakes on both sides of it."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict

from coordinator.reports.rolling.improvements import in_window, score_table, threshold_table
from coordinator.reports.rolling.summary import WINDOW_DAYS
from coordinator.status.base import Cell, Figures, View, figures, iso, known, records
from coordinator.status.improvement import effective_mode
from coordinator.status.phone import fields, join_parts, percent, plain, short, table, wrap
from coordinator.status.source import NOTHING_YET, Source

__all__ = ["PairThreshold", "Step", "Thresholds", "read_thresholds", "thresholds_text"]

STEPS_SHOWN = 200


class PairThreshold(BaseModel):
    """A pair: threshold at its last signal (0..1), and the window's signals and mistakes.

    False positives: R <= 0 among the outcomes whose confidence met the threshold; false negatives: R > 0 among the
    others. ``adaptive`` is what adaptive thresholds have learned, also in shadow mode; null where they are off.
    """

    model_config = ConfigDict(frozen=True)

    pair: str
    threshold: float | None
    adaptive: float | None
    signals: int
    acceptance_rate: float | None
    accepted_outcomes: int
    false_positives: float | None
    rejected_outcomes: int
    false_negatives: float | None
    changes: int


class Step(BaseModel):
    """A change of a pair's adaptive threshold."""

    model_config = ConfigDict(frozen=True)

    at: str | None
    pair: str
    threshold: float | None
    reason: str


class Thresholds(View):
    """``base`` is ``decision.threshold``, the gate where ML decides; ``baseline`` holds where it has no say."""

    days: int
    mode: str
    base: float
    baseline: float
    minimum: float
    maximum: float
    end: str | None = None
    pairs: list[PairThreshold] = []
    steps: list[Step] = []
    scores: Figures | None = None


def read_thresholds(source: Source, days: int = WINDOW_DAYS, pair: str | None = None) -> Thresholds:
    """The view of the last ``days``, of all pairs or of one."""
    if pair is not None:
        source.check_pair(pair)
    decision, own = source.settings.decision, source.settings.thresholds
    baseline = decision.threshold if decision.baseline_threshold is None else decision.baseline_threshold
    base = Thresholds(
        days=days,
        mode=effective_mode(source.settings, "thresholds"),
        base=decision.threshold,
        baseline=baseline,
        minimum=own.minimum,
        maximum=own.maximum,
    )
    found = source.window()
    if found is None:
        return base.model_copy(update={"note": NOTHING_YET})
    run, until = found
    learned = source.learners()
    adaptive = {} if learned is None else {r["pair"]: r["threshold"] for r in learned["thresholds"]["pairs"]}
    decided = in_window(run.decided_at, until, days)
    names, accepted = run.decisions["pair"].to_numpy(dtype=object), run.decisions["accepted"].to_numpy()
    rows = []
    for row in figures(threshold_table(run, until, days)).rows:
        name = str(row["Pair"])
        of_pair = decided & (names == name)
        rate = float(np.mean(accepted[of_pair])) if of_pair.any() else float("nan")
        rows.append(
            PairThreshold(
                pair=name,
                threshold=known(row["Threshold"]),
                adaptive=known(adaptive.get(name)),
                signals=int(of_pair.sum()),
                acceptance_rate=known(rate),
                accepted_outcomes=_count(row["Accepted"]),
                false_positives=known(row["False positives"]),
                rejected_outcomes=_count(row["Rejected"]),
                false_negatives=known(row["False negatives"]),
                changes=_count(row["Changes"]),
            )
        )
    steps = [
        Step(at=iso(s.time), pair=s.pair, threshold=known(s.threshold), reason=s.reason)
        for s in records(run.thresholds.iloc[::-1])
        if pair in (None, s.pair)
    ]
    return base.model_copy(
        update={
            "end": iso(until),
            "pairs": [row for row in rows if pair in (None, row.pair)],
            "steps": steps[:STEPS_SHOWN],
            "scores": figures(score_table(run, until, days)),
        }
    )


def _count(cell: Cell) -> int:
    return int(cell) if isinstance(cell, int | float) else 0


def thresholds_text(view: Thresholds) -> str:
    """For a phone."""
    head = [
        ("Adaptive thresholds", view.mode),
        ("Gate where ML decides", plain(view.base)),
        ("Gate of the baseline", plain(view.baseline)),
    ]
    rows = [
        (
            short(one.pair),
            plain(one.threshold),
            str(one.signals),
            percent(one.acceptance_rate),
            percent(one.false_positives),
            percent(one.false_negatives),
        )
        for one in view.pairs
    ]
    steps = [f"{str(s.at)[5:10]} {short(s.pair)} {plain(s.threshold)}" for s in view.steps[:5]]
    return join_parts(
        fields(head),
        wrap(view.note),
        f"{view.days} days\n{table(('Pair', 'Gate', 'N', 'Took', 'FP', 'FN'), rows)}" if rows else "",
        "FP: taken and lost\nFN: refused, would have won" if rows else "",
        "\n".join(("Last steps", *steps)) if steps else "",
    )
