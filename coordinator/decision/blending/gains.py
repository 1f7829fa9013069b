"""Criterion "r": what ML's yes and no were worth in R, and the rules of a review on that (DESIGN.md 4.4).

Two questions, asked of the outcomes that ML's say could have decided:

- *halves*: the signals that ML rates above .5 on the common scale, its better half, against the others, mean R
- *gated*: ML's trades (its score reaches its gate) against the baseline's (its confidence reaches its own), mean R

Outcomes that become known on one day are one observation, and days nearer than a trade is long depend on each
other (``decision.edge``). First match:

1. cuts, multiplied, on the last ``recent_days``: P(halves < 0) >= ``certainty`` -> x .5; P(gated < 0) -> x .7; ML's
   drawdown > 1.5 x the baseline's at as many trades -> x .5; left with less than ``least_weight`` it is back in shadow
2. a step down: of the last ``recent_days`` both are rather below 0 than above
3. a promotion or a step up: P(halves > 0) >= ``certainty`` over all evidence, for a sceptic and however often it is
   asked; P(gated > 0) >= ``certainty`` there; and P(halves > 0) >= ``fresh_certainty`` in those since the last change
   alone, so that no step rests on the evidence of the step before

The evidence begins with the first prediction, and anew with every fall back to shadow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from coordinator.decision.blending.evidence import DayResults
from coordinator.decision.blending.posterior import max_drawdown
from coordinator.decision.blending.review import EXPANSION, PILOT, SHADOW, foundation, too_few, within_phase
from coordinator.decision.edge import Gain, edge_probability, gain_probability, mean_gain
from coordinator.settings.blending import BlendingSettings
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = ["GainEvidence", "losing_days", "recent_harm", "review_gains", "summarise_gains"]


NAMES = ("time", "count", "total", "yes", "yes_r", "ml_count", "ml", "baseline_count", "baseline")
_numbers = attrgetter(*NAMES)


@dataclass(frozen=True)
class GainEvidence:
    """ML's yes and no in R, from the outcomes since the evidence began.

    Attributes
    ----------
    outcomes, days : int
    trade_times, fresh_times : float, how often a trade's longest time fits between the first and the last of them, and
        between the weight's last change and the last of them
    halves, halves_error, gated, gated_error : float, gains in mean R and their standard errors
    p_halves : float, P(halves > 0) for a sceptic (``edge_probability``)
    p_gated, p_fresh : float, P(gated > 0), and P(halves > 0) since the weight changed last
    days_recent : int, days with outcomes among the last ``recent_days``
    p_halves_recent, p_gated_recent : float, both in those
    mean_ml, mean_baseline : float, R a trade; 0 without trades
    drawdown_ml, drawdown_baseline : float, R, >= 0, in the last ``recent_days``, the baseline's at as many trades
    """

    outcomes: int
    days: int
    trade_times: float
    fresh_times: float
    halves: float
    halves_error: float
    gated: float
    gated_error: float
    p_halves: float
    p_gated: float
    p_fresh: float
    days_recent: int
    p_halves_recent: float
    p_gated_recent: float
    mean_ml: float
    mean_baseline: float
    drawdown_ml: float
    drawdown_baseline: float


class _Columns:
    """The days as arrays, shape (days,)."""

    def __init__(self, days: Sequence[DayResults], overlap: int) -> None:
        self._overlap = overlap
        rows = np.array([_numbers(day) for day in days], dtype=np.float64)
        self.of: dict[str, Floats] = dict(zip(NAMES, rows.reshape(-1, len(NAMES)).T, strict=True))

    def halves(self, since: int = -1) -> Gain:
        own = self._since(since)
        others = own["count"] - own["yes"], own["total"] - own["yes_r"]
        return self._gain(own, own["yes"], own["yes_r"], *others)

    def gated(self, since: int = -1) -> Gain:
        own = self._since(since)
        return self._gain(own, own["ml_count"], own["ml"], own["baseline_count"], own["baseline"])

    def _gain(
        self, own: dict[str, Floats], count: Floats, total: Floats, other_count: Floats, other_total: Floats
    ) -> Gain:
        day = (own["time"] // SECONDS_PER_DAY).astype(np.int64)
        return mean_gain(count, total, other_count, other_total, day, self._overlap)

    def _since(self, since: int) -> dict[str, Floats]:
        rows = self.of["time"] > since
        return {name: values[rows] for name, values in self.of.items()}

    def drawdowns(self, since: int) -> tuple[float, float]:
        own = self._since(since)
        ml, baseline = own["ml_count"].sum(), own["baseline_count"].sum()
        share = ml / baseline if baseline else 0.0
        return max_drawdown(own["ml"]), max_drawdown(own["baseline"] * share)


def summarise_gains(
    window: Sequence[DayResults], now: int, changed: int, settings: BlendingSettings, overlap: int
) -> GainEvidence:
    """Sum up the days since the evidence began.

    Parameters
    ----------
    now, changed : int
        The time, and that of the weight's last change; seconds since the epoch.
    overlap : int
        Days that a trade lasts at most: so near, outcomes depend on each other.
    """
    days = _Columns(window, overlap)
    recent = now - settings.recent_days * SECONDS_PER_DAY
    halves, gated = days.halves(), days.gated()
    drawdown_ml, drawdown_baseline = days.drawdowns(recent)
    known = np.isfinite((halves.error, gated.error))
    first, last = (window[0].time, window[-1].time) if window else (now, now)
    longest = max(overlap, 1) * SECONDS_PER_DAY
    return GainEvidence(
        outcomes=int(days.of["count"].sum()),
        days=len(window),
        trade_times=(last - first) / longest,
        fresh_times=(last - max(changed, first)) / longest,
        halves=halves.mean,
        halves_error=halves.error if known[0] else 0.0,
        gated=gated.mean,
        gated_error=gated.error if known[1] else 0.0,
        p_halves=edge_probability(halves, settings.prior_edge, settings.edge_scale),
        p_gated=gain_probability(gated),
        p_fresh=gain_probability(days.halves(changed)),
        days_recent=int((days.of["time"] > recent).sum()),
        p_halves_recent=gain_probability(days.halves(recent)),
        p_gated_recent=gain_probability(days.gated(recent)),
        mean_ml=_mean(days.of["ml"], days.of["ml_count"]),
        mean_baseline=_mean(days.of["baseline"], days.of["baseline_count"]),
        drawdown_ml=drawdown_ml,
        drawdown_baseline=drawdown_baseline,
    )


def _mean(total: Floats, count: Floats) -> float:
    return float(total.sum() / count.sum()) if count.sum() else 0.0


def recent_harm(window: Sequence[DayResults], now: int, settings: BlendingSettings, overlap: int) -> float:
    """How sure it is that ML's better half made less R in the last ``recent_days``; half where they are too few."""
    since = now - settings.recent_days * SECONDS_PER_DAY
    recent = [day for day in window if day.time > since]
    outcomes = sum(day.count for day in recent)
    if outcomes < settings.minimum_outcomes or len(recent) < settings.minimum_days:
        return 0.5
    return 1.0 - gain_probability(_Columns(recent, overlap).halves())


def losing_days(window: Sequence[DayResults], since: int) -> int:
    """Days in a row, up to now, on which ML's trades lost and did worse than the baseline's.

    A day on which all lose is no failure of ML's: losing less than the baseline neither counts nor ends the run.
    """
    run = 0
    for day in reversed(window):
        if day.time <= since or day.ml > 0.0:
            break
        mean = day.baseline / day.baseline_count if day.baseline_count else 0.0
        run += day.ml_count > 0 and day.ml / day.ml_count < mean
    return run


def review_gains(
    phase: int, weight: float, phase_outcomes: int, evidence: GainEvidence, settings: BlendingSettings
) -> tuple[int, float, str]:
    """Phase and weight from here on, and why; parameters as ``review.review_weight`` takes them."""
    s, e = settings, evidence
    if phase == 0:
        return foundation(phase_outcomes, s)
    if e.outcomes < s.minimum_outcomes or e.days < s.minimum_days:
        return phase, weight, too_few(e.outcomes)
    lower, why = _fall(phase, weight, e, s) if phase >= PILOT else (weight, "")
    if lower < weight:
        return (SHADOW, 0.0, f"back to shadow: {why}") if lower < s.least_weight else (phase, lower, why)
    return _rise(phase, weight, phase_outcomes, e, s)


def _fall(phase: int, weight: float, e: GainEvidence, s: BlendingSettings) -> tuple[float, str]:
    """The weight that the last days leave, and why."""
    if e.days_recent < s.minimum_days:
        return weight, ""
    factor, why = _cuts(e, s)
    if factor < 1.0:
        return weight * factor, f"cut: {why}"
    if e.p_halves_recent < 0.5 and e.p_gated_recent < 0.5:
        return within_phase(weight - s.step, phase, s), f"down: {_recent(e)}"
    return weight, ""


def _cuts(e: GainEvidence, s: BlendingSettings) -> tuple[float, str]:
    doubt, factor, reasons = 1.0 - s.certainty, 1.0, []
    if e.p_halves_recent <= doubt:
        factor *= s.accuracy_factor
        reasons.append(f"the signals it rates higher make less: P(more) {e.p_halves_recent:.2f}")
    if e.p_gated_recent <= doubt:
        factor *= s.sharpe_factor
        reasons.append(f"its trades make less than the baseline's: P(more) {e.p_gated_recent:.2f}")
    if e.drawdown_ml > max(s.drawdown_ratio * e.drawdown_baseline, s.drawdown_minimum):
        factor *= s.drawdown_factor
        reasons.append(
            f"drawdown {e.drawdown_ml:.1f} R, baseline {e.drawdown_baseline:.1f} R at as many trades"
        )
    return factor, "; ".join(reasons)


def _rise(
    phase: int, weight: float, phase_outcomes: int, e: GainEvidence, s: BlendingSettings
) -> tuple[int, float, str]:
    sure = min(e.p_halves, e.p_gated) >= s.certainty and e.p_fresh >= s.fresh_certainty
    if e.trade_times < s.minimum_trade_times or e.fresh_times < s.minimum_fresh_times:
        return (
            phase,
            weight,
            "kept: the evidence, or that since the last change, is too short for trades so long",
        )
    if not sure or (phase == SHADOW and phase_outcomes < s.shadow_outcomes):
        return phase, weight, f"kept: not sure enough that ML is better: {_all(e)}"
    if _promotable(phase, weight, e, s):
        moved = weight + s.base_weights[phase + 1] - s.base_weights[phase]
        return phase + 1, within_phase(moved, phase + 1, s), f"promoted: {_all(e)}"
    risen = within_phase(weight + s.step, phase, s)
    if risen <= weight:
        return phase, weight, "kept: at the phase's cap"
    return phase, risen, f"up: {_all(e)}"


def _promotable(phase: int, weight: float, e: GainEvidence, s: BlendingSettings) -> bool:
    """The phase's own criteria, beyond the certainty that every rise needs."""
    if phase == PILOT:
        return e.drawdown_ml <= max(s.pilot_drawdown * e.drawdown_baseline, s.drawdown_minimum)
    if phase == EXPANSION:
        gain = e.mean_ml - e.mean_baseline
        return weight >= s.expansion_weight and gain >= s.expansion_gain * abs(e.mean_baseline)
    return phase == SHADOW


def _all(e: GainEvidence) -> str:
    return (
        f"better half {e.halves:+.3f} R (error {e.halves_error:.3f}, P {e.p_halves:.2f}, lately {e.p_fresh:.2f}), "
        f"trades {e.gated:+.3f} R (error {e.gated_error:.3f}, P {e.p_gated:.2f}), {e.outcomes} outcomes"
    )


def _recent(e: GainEvidence) -> str:
    return f"lately P(better half makes more) {e.p_halves_recent:.2f}, P(trades do) {e.p_gated_recent:.2f}"
