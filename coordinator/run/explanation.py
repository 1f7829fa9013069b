"""A decision as text: each component's vote, the result, and why (spec 000, log examples)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from coordinator.decision.blending.manager import PHASES
from coordinator.decision.decisions import REJECTIONS, Decisions
from coordinator.decision.table import SignalTable
from coordinator.decision.voting import COMPONENTS, Votes
from coordinator.signals.tactics import TACTICS
from coordinator.trade.plan import Plan

__all__ = ["describe", "entry_reason", "explain", "price"]

SIDES = {1: "long", -1: "short", 0: "hold"}
TITLES = {
    "technical": "technical analysis",
    "lstm": "deep learning",
    "fusion": "multi-timeframe fusion",
    "selector": "tactic selector",
    "quality": "signal quality",
}
"""Of the components whose names do not say it."""


def explain(table: SignalTable, decided: Decisions, row: int, reasons: str) -> list[str]:
    """Lines about one signal: every component with its say, the unified confidence, its calibration, the verdict.

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


def entry_reason(
    decision: Mapping[str, Any] | None,
    plan: Plan,
    time_limit: str,
    *,
    by_hand: bool = False,
    widest_stop: float = math.inf,
) -> str:
    """Why a trade was entered and what ends it, in a sentence for its custom data.

    Parameters
    ----------
    decision : ``describe``'s with its reasons; None where no signal of the strategy stands behind the trade
    plan : anchored at the first fill
    by_hand : whether a person ordered it, on a candle with a signal or not
    widest_stop : distance of Freqtrade's own stop at the trade's leverage; where the plan's is farther it stands first
    """
    if decision is None:
        parts = ["entered by hand, not by a signal of the strategy"]
        limit = ", as a signal's would be" if plan.clock else ", the hard limit"
    else:
        limit, gate = "", decision["threshold"] or 0.0
        side = SIDES[int(decision["direction"])]
        ordered = "entered by hand on a signal's candle, by its plan; " if by_hand else ""
        parts = [
            f"{ordered}{side}: {decision['reasons']}",
            f"confidence {decision['unified confidence']:.0%}",
        ]
        if gate > 0:
            parts[-1] += f", gate {gate:.0%}"
        weight = decision["ML weight"] or 0.0
        phase = f" (phase {decision['phase']})" if decision["phase"] else ""
        said = ", ".join(
            f"{name} {vote['percentile']:.0%}"
            for name, vote in decision["votes"].items()
            if name != "technical" and vote["share"]
        )
        parts.append(f"ML {weight:.0%}{phase}: {said}" if weight > 0 else f"ML had no say{phase}")
    if widest_stop < plan.stop_distance:
        limit = f", Freqtrade's stoploss at this leverage; {plan.stop_distance:.1%} were planned"
    stop = plan.direction * min(plan.stop_distance, widest_stop)
    target = plan.direction * plan.target_distance
    parts.append(f"stop {price(plan.anchor * (1 - stop))} ({-stop:+.1%}{limit})")
    has_target = math.isfinite(plan.target_distance)
    parts.append(f"target {price(plan.target_rate)} ({target:+.1%})" if has_target else "no target")
    return "; ".join([*parts, time_limit])


def price(value: float) -> str:
    """A price as one reads it: six digits, no exponent.

    >>> [price(value) for value in (27123.4567, 1234567.8, 0.0000123456789)]
    ['27123.5', '1234568', '0.0000123457']
    """
    if abs(value) >= 1e5:
        return f"{value:.0f}"
    decimals = 5 - int(np.floor(np.log10(abs(value)))) if value else 0
    text = f"{value:.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _selector(table: SignalTable, decided: Decisions) -> Votes | None:
    """The learner's choice, or a trained policy's vote in a run that has one instead."""
    chose = (decided.tactic >= 0).any()
    return decided.selector_votes(table) if chose else table.votes.get("selector")


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _vote(table: SignalTable, decided: Decisions, row: int, name: str) -> str:
    percentile = decided.of(name)[row]
    if not np.isfinite(percentile):
        return f"{TITLES.get(name, name)}: absent"
    vote, title = table.votes.get(name), TITLES.get(name, name)
    if name == "selector":
        vote = _selector(table, decided)
        if decided.tactic[row] >= 0:
            title = f"{title} ({TACTICS[int(decided.tactic[row])].replace('_', ' ')})"
    direction, confidence = (np.nan, np.nan) if vote is None else (vote.direction[row], vote.confidence[row])
    share = decided.share[row, COMPONENTS.index(name)]
    say = f"; say {share:.0%}" if np.isfinite(share) else ""
    # Decided on what the models would have said before the bot began: its own frames do not show that.
    said = (
        f"{SIDES[int(direction)]}, confidence {confidence:.0%}" if np.isfinite(direction) else "said before"
    )
    return f"{title}: {said}, better than {percentile:.0%} of its last{say}"
