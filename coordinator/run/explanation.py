"""A decision as text: each component's vote, the result, and why (spec 000, log examples)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from coordinator.decision.blending.manager import PHASES
from coordinator.decision.decisions import REJECTIONS, Decisions
from coordinator.decision.table import SignalTable
from coordinator.decision.voting import COMPONENTS, Votes
from coordinator.signals.tactics import TACTICS

__all__ = ["describe", "explain"]

SIDES = {1: "long", -1: "short", 0: "hold"}
TITLES = {
    "technical": "technical analysis",
    "lstm": "deep learning",
    "fusion": "multi-timeframe fusion",
    "selector": "tactic selector",
    "attention": "attention",
    "quality": "signal quality",
}


def explain(table: SignalTable, decided: Decisions, row: int, reasons: str) -> list[str]:
    """Lines about one signal: components 1 to 6 with their say, the unified confidence, its calibration, the verdict.

    Parameters
    ----------
    row : int
        The signal.
    reasons : str
        The baseline's, as text.
    """
    when = datetime.fromtimestamp(int(table.time[row]), tz=UTC)
    side = SIDES[int(table.direction[row])]
    lines = [f"{table.pairs[table.pair[row]]} {when:%Y-%m-%d %H:%M}: {side} signal, {reasons}"]
    lines += [f"  {i}. {_vote(table, decided, row, name)}" for i, name in enumerate(COMPONENTS, start=1)]
    weight, phase = decided.ml_weight[row], int(decided.phase[row])
    weight_text = f"ML weight {weight:.0%}" + (f", phase {PHASES[phase]}" if phase >= 0 else "")
    lines.append(
        f"  unified confidence {decided.confidence[row]:.0%}, threshold {decided.threshold[row]:.0%} ({weight_text})"
    )
    if np.isfinite(decided.win_probability[row]):
        lines.append(
            f"  calibrated: confidence {decided.confidence[row]:.0%} -> win probability "
            f"{decided.win_probability[row]:.0%}, expected {decided.expected_r[row]:+.2f} R"
        )
    rejection = int(decided.rejection[row])
    lines.append(f"  {'accepted' if not rejection else 'rejected: ' + REJECTIONS[rejection]}")
    return lines


def describe(table: SignalTable, decided: Decisions, row: int) -> dict[str, Any]:
    """One decision in JSON types, for a trade's custom data and for REST; numbers are rounded to 4 digits."""
    votes = {}
    for name in COMPONENTS:
        vote = _selector(table, decided) if name == "selector" else table.votes.get(name)
        if vote is not None and np.isfinite(decided.of(name)[row]):
            numbers = (vote.direction[row], vote.confidence[row], decided.of(name)[row])
            votes[name] = dict(
                zip(("direction", "confidence", "percentile"), map(_number, numbers), strict=True)
            ) | {"share": _number(decided.share[row, COMPONENTS.index(name)])}
    phase, tactic, rejection = (
        int(codes[row]) for codes in (decided.phase, decided.tactic, decided.rejection)
    )
    return {
        "signal": f"{datetime.fromtimestamp(int(table.time[row]), tz=UTC):%Y-%m-%d %H:%M}",
        "direction": int(table.direction[row]),
        "votes": votes,
        "technical confidence": _number(decided.of("technical")[row]),
        "unified confidence": _number(decided.confidence[row]),
        "threshold": _number(decided.threshold[row]),
        "ML weight": _number(decided.ml_weight[row]),
        "phase": PHASES[phase] if phase >= 0 else None,
        "tactic": TACTICS[tactic] if tactic >= 0 else None,
        "win probability": _number(decided.win_probability[row]),
        "expected R": _number(decided.expected_r[row]),
        "verdict": "accepted" if not rejection else REJECTIONS[rejection],
    }


def _selector(table: SignalTable, decided: Decisions) -> Votes | None:
    """The learner's choice, or a trained policy's vote in a run that has one instead."""
    chose = (decided.tactic >= 0).any()
    return decided.selector_votes(table) if chose else table.votes.get("selector")


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _vote(table: SignalTable, decided: Decisions, row: int, name: str) -> str:
    percentile = decided.of(name)[row]
    if not np.isfinite(percentile):
        return f"{TITLES[name]}: absent"
    vote, title = table.votes.get(name), TITLES[name]
    if name == "selector":
        vote = _selector(table, decided)
        if decided.tactic[row] >= 0:
            title = f"{title} ({TACTICS[int(decided.tactic[row])].replace('_', ' ')})"
    assert vote is not None  # a component with a percentile has voted
    direction, confidence = vote.direction[row], vote.confidence[row]
    share = decided.share[row, COMPONENTS.index(name)]
    say = f"; say {share:.0%}" if np.isfinite(share) else ""
    said = f"{SIDES[int(direction)]}, confidence {confidence:.0%}"
    return f"{title}: {said}, better than {percentile:.0%} of its last{say}"
