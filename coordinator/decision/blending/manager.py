"""How much say ML has: phases, 30-day reviews, cuts and breakers (DESIGN.md 4.4, spec 001).

ML says yes where its score on the common scale is at least .5. As the scale is a percentile, it says yes half the time,
whatever the share of winners; on the raw scale that does not hold. *ML trades* and *baseline trades* are the virtual
trades whose own score reaches the gate, in every phase, whatever the weight was.

What earns weight is the setting ``blending.criterion``:

- "r": ``blending/gains.py``. ML's gate is ``decision.threshold``, the baseline's its own (``baseline_threshold``).
- "accuracy": ``blending/review.py``. *ML is right* where it says yes and the outcome was R > 0, or no and R <= 0, so
  blind guessing is right half the time. Both sides have ML's gate, so they trade as often.

Breakers are looked at with every step.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from coordinator.decision.blending.evidence import DayResults, Evidence, summarise_days
from coordinator.decision.blending.gains import (
    GainEvidence,
    losing_days,
    recent_harm,
    review_gains,
    summarise_gains,
)
from coordinator.decision.blending.pilot import PilotArm, add_to_arms, pilot_arm
from coordinator.decision.blending.review import PHASES, PILOT, SHADOW, review_weight
from coordinator.decision.blending.weight_review import WeightReview
from coordinator.settings.blending import BlendingSettings
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints, Times

__all__ = ["PHASES", "MLWeightManager", "PilotArm", "WeightReview", "pilot_arm"]

MOST_RUN = 2.0  # a run that breaks is never more than so many times the documented one


class MLWeightManager:
    """Learns the ML weight from all pairs' outcomes.

    Parameters
    ----------
    settings : BlendingSettings
    gate : float
        Score on the common scale from which ML trades, 0..1 (``decision.threshold``).
    baseline_gate : float, optional
        The same of the baseline with criterion "r"; by default the same gate.
    overlap : int
        Days that a trade lasts at most, for criterion "r".

    Attributes
    ----------
    phase_ : int, index into ``PHASES``
    weight_ : float, 0..phase cap
    next_review_ : int or None, seconds since the epoch; None before the first step
    phase_outcomes_ : int, outcomes since the phase began; from shadow on only those with a prediction
    losing_run_ : int, ML trades lost in a row, or with criterion "r" days
    changed_ : int, when weight or phase changed last, seconds since the epoch; -1 if never
    window_ : deque of DayResults, at most ``window_days`` daily steps, or with criterion "r" ``evidence_days``
    reviews_ : deque of WeightReview, at most ``reviews_kept``
    arms_ : dict of "baseline" and "blend" to what the pilot's arms made

    Notes
    -----
    A step is one call of ``learn``. Two calls with the same time add to the same day, to the bit what one call
    would; but breakers and reviews are decided at the end of each call.
    """

    def __init__(
        self,
        settings: BlendingSettings,
        gate: float,
        baseline_gate: float | None = None,
        overlap: int = 0,
    ) -> None:
        self.settings = settings
        self.gate = gate
        self.overlap = overlap
        self._in_r = settings.criterion == "r"
        self.baseline_gate = baseline_gate if self._in_r and baseline_gate is not None else gate
        self.phase_ = PHASES.index(settings.start_phase)
        self.weight_ = settings.base_weights[self.phase_]
        self.next_review_: int | None = None
        self.phase_outcomes_ = 0
        self.losing_run_ = 0
        self.changed_ = -1
        self.window_: deque[DayResults] = deque()
        self.reviews_: deque[WeightReview] = deque(maxlen=settings.reviews_kept)
        self.arms_ = {"baseline": PilotArm(), "blend": PilotArm()}

    @property
    def phase(self) -> str:
        """Name of the phase."""
        return PHASES[self.phase_]

    def learn(
        self,
        time: int,
        ml_score: Floats,
        baseline_score: Floats,
        r: Floats,
        *,
        arm: Ints | None = None,
        accepted: Bools | None = None,
    ) -> WeightReview | None:
        """Take the outcomes that resolved since the last step, in time order.

        Parameters
        ----------
        time : int
            Now, seconds since the epoch; never less than before.
        ml_score, baseline_score : ndarray of float, shape (n,)
            At decision time, each its own causal percentile, 0..1. NaN in ``ml_score``: ML was absent; the outcome
            counts for foundation and nothing else.
        r : ndarray of float, shape (n,)
            Realised R after costs; NaN rows are passed over.
        arm : ndarray of int, shape (n,), optional
            1 where the pilot gave the signal the blend, 0 where the baseline, -1 outside of the pilot phase.
        accepted : ndarray of bool, shape (n,), optional
            The decision; needed beside ``arm``.

        Returns
        -------
        WeightReview or None
            None where this step had neither a review nor a breaker.
        """
        if self.next_review_ is None:
            self.next_review_ = time + self.settings.review_days * SECONDS_PER_DAY
        if len(r):
            self._add(time, ml_score, baseline_score, r)
            if arm is not None and accepted is not None:
                add_to_arms(self.arms_, arm, accepted, r)
        s = self.settings
        oldest = time - (s.evidence_days if self._in_r else s.window_days) * SECONDS_PER_DAY
        while self.window_ and self.window_[0].time <= oldest:
            self.window_.popleft()
        reason = self._breaker(time) if self.phase_ >= PILOT else ""
        if reason:
            self.next_review_ = time + s.review_days * SECONDS_PER_DAY
            return self._record(time, SHADOW, 0.0, reason, self._evidence(time))
        if time < self.next_review_:
            return None
        while self.next_review_ <= time:
            self.next_review_ += s.review_days * SECONDS_PER_DAY
        evidence = self._evidence(time)
        before = self.phase_, self.weight_, self.phase_outcomes_
        if isinstance(evidence, GainEvidence):
            return self._record(time, *review_gains(*before, evidence, s), evidence)
        return self._record(time, *review_weight(*before, evidence, s), evidence)

    def predict(self, pair: Sequence[str], time: Times) -> Floats:
        """ML weight of each signal, shape (n,), 0..0.7: in the pilot phase only those of the blend's arm have one."""
        if self.phase_ != PILOT:
            return np.full(len(time), self.weight_)
        return np.where(self.pilot_arm(pair, time), self.weight_, 0.0)

    def pilot_arm(self, pair: Sequence[str], time: Times) -> Bools:
        """Which signals get the blend in the pilot phase, shape (n,), whatever the phase is now."""
        return pilot_arm(pair, time, self.settings.pilot_share, self.settings.pilot_seed)

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types; ``restore`` gives it back to the bit."""
        return {
            "phase": self.phase,
            "weight": self.weight_,
            "next_review": self.next_review_,
            "phase_outcomes": self.phase_outcomes_,
            "losing_run": self.losing_run_,
            "changed": self.changed_,
            "window": [asdict(day) for day in self.window_],
            "reviews": [asdict(review) for review in self.reviews_],
            "arms": {name: asdict(arm) for name, arm in self.arms_.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self.phase_, self.weight_ = PHASES.index(state["phase"]), state["weight"]
        self.next_review_, self.phase_outcomes_ = state["next_review"], state["phase_outcomes"]
        self.losing_run_, self.changed_ = state["losing_run"], state["changed"]
        self.window_ = deque(DayResults(**day) for day in state["window"])
        kind = GainEvidence if self._in_r else Evidence
        reviews = ({**review, "evidence": kind(**review["evidence"])} for review in state["reviews"])
        self.reviews_ = deque((WeightReview(**review) for review in reviews), self.settings.reviews_kept)
        self.arms_ = {name: PilotArm(**arm) for name, arm in state["arms"].items()}

    def _add(self, time: int, ml_score: Floats, baseline_score: Floats, r: Floats) -> None:
        if not self.window_ or self.window_[-1].time != time:
            self.window_.append(DayResults(time))
        day, gate, own, collecting = self.window_[-1], self.gate, self.baseline_gate, self.phase_ == 0
        count, right, ml_sum, baseline = day.count, day.right, day.ml, day.baseline
        ml_count, baseline_count, total, yes, yes_r = (
            day.ml_count,
            day.baseline_count,
            day.total,
            day.yes,
            day.yes_r,
        )
        refused, refused_lost, run, collected = day.refused, day.refused_lost, self.losing_run_, 0
        for ml, base, profit in zip(ml_score.tolist(), baseline_score.tolist(), r.tolist(), strict=True):
            if profit != profit:
                continue
            if ml != ml:
                collected += collecting
                continue
            lost = profit <= 0.0
            count += 1
            total += profit
            right += (ml >= 0.5) != lost
            if ml >= 0.5:
                yes += 1
                yes_r += profit
            if base >= own:
                baseline += profit
                baseline_count += 1
            if ml >= gate:
                ml_sum += profit
                ml_count += 1
                run = run + 1 if lost else 0
            else:
                refused += 1
                refused_lost += lost
        self.phase_outcomes_ += count - day.count + collected
        traded = refused, refused_lost, ml_count, baseline_count
        self.window_[-1] = DayResults(day.time, count, right, ml_sum, baseline, *traded, total, yes, yes_r)
        if not count:
            self.window_.pop()
        self.losing_run_ = losing_days(self.window_, self.changed_) if self._in_r else run

    def _evidence(self, time: int) -> Evidence | GainEvidence:
        if self._in_r:
            return summarise_gains(self.window_, time, self.changed_, self.settings, self.overlap)
        return summarise_days(self.window_, self.settings)

    def _breaker(self, time: int) -> str:
        s = self.settings
        if self._in_r:
            if self.losing_run_ >= s.breaker_losses:
                return f"breaker: {self.losing_run_} days in a row lost, and more than the baseline"
            harm = recent_harm(self.window_, time, s, self.overlap)
            if harm < s.breaker_certainty:
                return ""
            return f"breaker: the signals that ML rates higher made less R in {s.recent_days} days (P {harm:.2f})"
        # The limit is never below the documented one, so it is worked out only where that is reached.
        if self.losing_run_ >= s.breaker_losses and self.losing_run_ >= (limit := self._breaking_run()):
            return f"breaker: {self.losing_run_} ML losses in a row (limit {limit})"
        count, right = sum(day.count for day in self.window_), sum(day.right for day in self.window_)
        if count < s.minimum_outcomes or right >= s.breaker_accuracy * count:
            return ""
        evidence = summarise_days(self.window_, s)
        if evidence.p_breaker > 1.0 - s.certainty:
            return ""
        return f"breaker: accuracy {evidence.accuracy:.0%} is below {s.breaker_accuracy:.0%}"

    def _breaking_run(self) -> int:
        """Losses in a row that are as rare at the market's loss rate as the documented run is at even odds.

        With a 2.5:1 target two of three trades lose, and ten in a row come about every 130 trades by chance. The rate
        is that of the signals ML refused, so that ML's own losses do not excuse it.
        """
        s = self.settings
        if not s.breaker_scaled:
            return s.breaker_losses
        refused = sum(day.refused for day in self.window_)
        rate = (sum(day.refused_lost for day in self.window_) + 1.0) / (refused + 2.0)
        factor = math.log(0.5) / math.log(rate)
        return math.ceil(s.breaker_losses * min(max(factor, 1.0), MOST_RUN) - 1e-9)

    def _record(
        self, time: int, phase: int, weight: float, reason: str, evidence: Evidence | GainEvidence
    ) -> WeightReview:
        review = WeightReview(
            time=time,
            phase_before=self.phase,
            phase_after=PHASES[phase],
            weight_before=self.weight_,
            weight_after=weight,
            reason=reason,
            evidence=evidence,
            losing_run=self.losing_run_,
        )
        if (phase, weight) != (self.phase_, self.weight_):
            self.changed_ = time
        if phase != self.phase_:
            self.phase_outcomes_ = 0
            self.losing_run_ = 0
        if self._in_r and review.is_rollback:
            self.window_.clear()  # what failed has to earn its say anew
        self.phase_, self.weight_ = phase, weight
        self.reviews_.append(review)
        return review
