"""How much say ML has: phase, weight, when it is reviewed next, what the last reviews rested on, and the history."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from coordinator.status.base import Cell, View, iso, known, records
from coordinator.status.phone import day, fields, join_parts, percent, wrap
from coordinator.status.source import NOTHING_YET, Source

__all__ = ["Phase", "Review", "WeightChange", "phase_text", "read_phase"]

NO_ML = "this strategy has no ML: the technical baseline decides alone"


class Review(BaseModel):
    """A review or breaker: what it did, why, and the evidence it rested on (``blending/gains.py``)."""

    model_config = ConfigDict(frozen=True)

    at: str | None
    phase_before: str
    phase: str
    weight_before: float | None
    weight: float | None
    reason: str
    losing_run: int
    evidence: dict[str, Cell]


class WeightChange(BaseModel):
    """The weight from a moment on, as the ledger has it."""

    model_config = ConfigDict(frozen=True)

    at: str | None
    phase: str
    weight: float | None
    reason: str


class Phase(View):
    """ML's say. Weight 0..0.7; ``losing_run`` counts days (criterion "r") or trades ("accuracy")."""

    weighting: str
    criterion: str
    shadow: bool
    phase: str | None = None
    ml_weight: float | None = None
    changed: str | None = None
    next_review: str | None = None
    phase_outcomes: int | None = None
    losing_run: int | None = None
    arms: dict[str, dict[str, Cell]] = {}
    reviews: list[Review] = []
    history: list[WeightChange] = []


def read_phase(source: Source, limit: int = 12) -> Phase:
    """The view.

    Parameters
    ----------
    limit : reviews and changes of the weight at most, the newest first
    """
    decision, blending = source.settings.decision, source.settings.blending
    base = Phase(weighting=decision.weighting, criterion=blending.criterion, shadow=decision.shadow)
    if not source.uses_ml:
        return base.model_copy(update={"note": NO_ML})
    if decision.weighting == "fixed":
        note = "the weight is fixed (decision.weighting): nothing is reviewed"
        weight = 0.0 if decision.shadow else decision.ml_weight
        return base.model_copy(update={"note": note, "ml_weight": weight})
    learned = source.learners()
    if learned is None:
        return base.model_copy(update={"note": NOTHING_YET})
    manager = learned["manager"]
    return base.model_copy(
        update={
            "phase": manager["phase"],
            "ml_weight": 0.0 if decision.shadow else known(manager["weight"]),
            "changed": iso(manager["changed"]),
            "next_review": iso(manager["next_review"]),
            "phase_outcomes": manager["phase_outcomes"],
            "losing_run": manager["losing_run"],
            "arms": {name: _cells(arm) for name, arm in manager["arms"].items()},
            "reviews": [_review(one) for one in reversed(manager["reviews"])][:limit],
            "history": _history(source, limit),
        }
    )


def _review(review: dict[str, Any]) -> Review:
    return Review(
        at=iso(review["time"]),
        phase_before=review["phase_before"],
        phase=review["phase_after"],
        weight_before=known(review["weight_before"]),
        weight=known(review["weight_after"]),
        reason=review["reason"],
        losing_run=review["losing_run"],
        evidence=_cells(review["evidence"]),
    )


def _cells(values: dict[str, Any]) -> dict[str, Cell]:
    return {name: value if isinstance(value, int | str) else known(value) for name, value in values.items()}


def _history(source: Source, limit: int) -> list[WeightChange]:
    run_id = source.run_id
    if run_id is None:
        return []
    rows = source.ledger.history(run_id, "weights").iloc[::-1].head(limit)
    return [
        WeightChange(at=iso(row.time), phase=row.phase, weight=known(row.ml_weight), reason=row.reason)
        for row in records(rows)
    ]


def phase_text(view: Phase) -> str:
    """For a phone."""
    if view.phase is None:
        weight = [] if view.ml_weight is None else [("ML weight", percent(view.ml_weight))]
        return join_parts(wrap(view.note), fields(weight))
    head = [
        ("Phase", view.phase),
        ("ML weight", percent(view.ml_weight)),
        ("Changed", day(view.changed)),
        ("Next review", day(view.next_review)),
        ("Outcomes in the phase", str(view.phase_outcomes)),
    ]
    reviews = [
        f"{day(one.at)} {one.phase} {percent(one.weight)}\n{wrap(one.reason)}{_evidence(one)}"
        for one in view.reviews[:3]
    ]
    history = [f"{day(one.at)} {one.phase[:12]:12} {percent(one.weight):>5}" for one in view.history[:8]]
    shadow = "shadow mode: ML has no say" if view.shadow else ""
    return join_parts(
        wrap(shadow),
        fields(head),
        "\n".join(("Last reviews", *reviews)) if reviews else "No review yet",
        "\n".join(("Weight", *history)) if history else "",
    )


def _evidence(review: Review) -> str:
    """What a review rested on, in short: the outcomes, and the probabilities that decide a rise."""
    e = review.evidence
    if "outcomes" in review.reason:
        return ""  # it says so itself
    parts = [f"{e['outcomes']} outcomes"] if "outcomes" in e else []
    for name, label in (("p_halves", "P halves"), ("p_gated", "P gated"), ("p_bar", "P accuracy")):
        value = e.get(name)
        if isinstance(value, float):
            parts.append(f"{label} {value:.2f}")
    return (
        "\n" + "\n".join("  " + line.strip() for line in wrap(", ".join(parts)).split("\n")) if parts else ""
    )
