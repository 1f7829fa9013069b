"""Criterion "accuracy": the documented rules of a review of the ML weight (spec 001). Pure: evidence in, verdict out.

First match, where the window holds enough outcomes (and, for Sharpe and drawdown, days):

1. cuts, multiplied: accuracy < .50 -> x .5; ML drawdown > 1.5 x baseline -> x .5; ML Sharpe < .8 x baseline -> x .7
2. a step down: ML Sharpe < .9 x baseline (accuracy < .50, the documents' other reason, is a cut already)
3. a promotion to the next phase, which moves the weight by the difference of the base weights
4. a step up: accuracy > .55 and ML Sharpe > baseline, up to the phase's cap

A statement about accuracy or Sharpe counts where its posterior probability is at least ``certainty``. 3 and 4 need both
of 4's. Foundation ends by the number of outcomes alone; foundation and shadow have no weight to lose.
"""

from __future__ import annotations

from coordinator.decision.blending.evidence import Evidence
from coordinator.settings.blending import BlendingSettings

__all__ = [
    "EXPANSION",
    "PHASES",
    "PILOT",
    "SHADOW",
    "foundation",
    "review_weight",
    "too_few",
    "within_phase",
]

PHASES = ("foundation", "shadow", "pilot", "expansion", "optimization")
SHADOW, PILOT, EXPANSION = 1, 2, 3


def review_weight(
    phase: int, weight: float, phase_outcomes: int, evidence: Evidence, settings: BlendingSettings
) -> tuple[int, float, str]:
    """Phase and weight from here on, and why.

    Parameters
    ----------
    phase : int
        Index into ``PHASES``.
    weight : float
        0..0.7.
    phase_outcomes : int
        Outcomes since the phase began.
    """
    s, e, doubt = settings, evidence, 1.0 - settings.certainty
    if phase == 0:
        return foundation(phase_outcomes, s)
    if e.outcomes < s.minimum_outcomes:
        return phase, weight, too_few(e.outcomes)
    if phase >= PILOT:
        factor, why = _cuts(e, s)
        if factor < 1.0:
            return phase, weight * factor, f"cut: {why}"
        if e.days >= s.minimum_days and e.p_sharpe_step <= doubt:
            why = f"down: Sharpe {e.sharpe_ml:.2f}, baseline {e.sharpe_baseline:.2f}"
            return phase, within_phase(weight - s.step, phase, s), why
    return _rise(phase, weight, phase_outcomes, e, s)


def foundation(outcomes: int, s: BlendingSettings) -> tuple[int, float, str]:
    """The verdict in foundation, which ends by the number of outcomes alone."""
    if outcomes >= s.foundation_outcomes:
        return SHADOW, 0.0, f"promoted: {outcomes} outcomes collected"
    return 0, 0.0, f"kept: {outcomes} of {s.foundation_outcomes} outcomes collected"


def too_few(outcomes: int) -> str:
    """The reason where nothing can be said yet."""
    return f"kept: {outcomes} outcomes are too few"


def _cuts(e: Evidence, s: BlendingSettings) -> tuple[float, str]:
    doubt = 1.0 - s.certainty
    factor, reasons = 1.0, []
    if e.p_floor <= doubt:
        factor *= s.accuracy_factor
        reasons.append(f"accuracy {e.accuracy:.0%} below {s.accuracy_floor:.0%}")
    if e.days >= s.minimum_days:
        if e.drawdown_ml > max(s.drawdown_ratio * e.drawdown_baseline, s.drawdown_minimum):
            factor *= s.drawdown_factor
            reasons.append(f"drawdown {e.drawdown_ml:.1f} R, baseline {e.drawdown_baseline:.1f} R")
        if e.p_sharpe_cut <= doubt:
            factor *= s.sharpe_factor
            reasons.append(f"Sharpe {e.sharpe_ml:.2f}, baseline {e.sharpe_baseline:.2f}")
    return factor, "; ".join(reasons)


def _rise(
    phase: int, weight: float, phase_outcomes: int, e: Evidence, s: BlendingSettings
) -> tuple[int, float, str]:
    if e.days < s.minimum_days or e.p_bar < s.certainty or e.p_sharpe < s.certainty:
        return phase, weight, "kept: not sure enough that ML is better"
    if _promotable(phase, weight, phase_outcomes, e, s):
        moved = weight + s.base_weights[phase + 1] - s.base_weights[phase]
        return phase + 1, within_phase(moved, phase + 1, s), "promoted: the phase's criteria are met"
    risen = within_phase(weight + s.step, phase, s)
    if risen <= weight:
        return phase, weight, "kept: at the phase's cap"
    return phase, risen, "up: accuracy and Sharpe above their bars"


def _promotable(phase: int, weight: float, phase_outcomes: int, e: Evidence, s: BlendingSettings) -> bool:
    """The phase's own criteria, beyond the certainty that every rise needs."""
    if phase == SHADOW:
        return phase_outcomes >= s.shadow_outcomes
    if phase == PILOT:
        return e.drawdown_ml <= s.pilot_drawdown * e.drawdown_baseline
    if phase == EXPANSION:
        gain = e.mean_ml - e.mean_baseline
        return weight >= s.expansion_weight and gain >= s.expansion_gain * abs(e.mean_baseline)
    return False


def within_phase(weight: float, phase: int, s: BlendingSettings) -> float:
    """A weight within 0 and the phase's cap."""
    # Rounded, as steps of .05 in binary would miss the caps by a bit.
    return round(min(max(weight, 0.0), s.phase_caps[phase]), 10)
