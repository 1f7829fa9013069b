"""All that learns from outcomes, updated together and stored together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coordinator.decision.blending import PHASES, MLWeightManager, WeightReview
from coordinator.decision.calibration import Calibrator
from coordinator.decision.earned_risk import EarnedRisk
from coordinator.decision.outcomes import EXITS
from coordinator.decision.pair_records import PairChange
from coordinator.decision.selector import TacticSelector, tactic_profit
from coordinator.decision.thresholds import AdaptiveThresholds
from coordinator.decision.vote_weights import VoteWeights
from coordinator.decision.voting import ML_COMPONENTS, ml_weights
from coordinator.settings import Settings
from coordinator.types import Bools, Floats, Ints

__all__ = ["History", "Learners", "ResolvedSignals"]

TARGET = EXITS.index("target")


@dataclass(frozen=True)
class ResolvedSignals:
    """Signals whose outcome has become known, in the order in which it did; arrays of shape (n,) unless stated.

    What was known and decided at the signal, and what became of it; see ``SignalTable`` and ``Decisions``.
    ``takeable`` is False where something other than its confidence bars a signal, ``next_state`` is the pair's market
    state at the resolution, ``chosen_direction`` the selected tactic's.
    """

    pair: Sequence[str]
    direction: Ints
    stop: Floats
    state: Ints
    next_state: Ints
    percentile: Floats
    tactic: Ints
    chosen_direction: Ints
    ml_rank: Floats
    confidence: Floats
    expected_r: Floats
    accepted: Bools
    takeable: Bools
    arm: Ints
    r: Floats
    exit: Ints


@dataclass
class History:
    """What changed, in time order, for the ledger."""

    reviews: list[WeightReview]
    thresholds: list[PairChange]
    weights: list[tuple[int, dict[str, float]]]


class Learners:
    """The learners of one fold.

    Attributes
    ----------
    calibrator, vote_weights, manager, thresholds, selector, earned_risk : the learners
    history : what changed so far
    """

    def __init__(self, settings: Settings) -> None:
        self._targets = settings.targets.enabled
        self.calibrator = Calibrator(settings.calibration, settings.targets.reward_risk)
        self.vote_weights = VoteWeights(settings.vote_weights, ml_weights(settings.decision))
        self.manager = MLWeightManager(settings.blending, settings.decision.threshold)
        self.thresholds = AdaptiveThresholds(settings.thresholds, settings.decision.threshold)
        self.selector = TacticSelector(settings.selector)
        self.earned_risk = EarnedRisk(settings.sizing.earned)
        self.history = History([], [], [])

    @property
    def phase(self) -> int:
        """Index into ``PHASES``."""
        return PHASES.index(self.manager.phase)

    def learn(self, now: int, resolved: ResolvedSignals) -> None:
        """Teach every learner what resolved before ``now`` (seconds since the epoch)."""
        won = resolved.exit == TARGET if self._targets else resolved.r > 0.0
        self.calibrator.learn(resolved.confidence, won, resolved.r)
        before = self.vote_weights.weights
        self.vote_weights.learn(resolved.percentile[:, 1 : 1 + len(ML_COMPONENTS)], won)
        if self.vote_weights.weights != before:
            self.history.weights.append((now, self.vote_weights.weights))
        profit = tactic_profit(resolved.direction, resolved.chosen_direction, resolved.r * resolved.stop)
        self.selector.learn(resolved.state, resolved.tactic, profit, resolved.next_state)
        self.history.thresholds += self.thresholds.learn(
            now, resolved.pair, resolved.confidence, resolved.expected_r, resolved.r
        )
        self.earned_risk.learn(now, resolved.r[resolved.takeable])
        review = self.manager.learn(
            now,
            resolved.ml_rank,
            resolved.percentile[:, 0],
            resolved.r,
            arm=resolved.arm,
            accepted=resolved.accepted,
        )
        if review is not None:
            self.history.reviews.append(review)

    def predict_r(self, confidence: Floats, enough: int) -> tuple[Floats, Floats]:
        """Win probability and expected R of confidences; NaN until ``enough`` outcomes are known."""
        if self.calibrator.outcomes_ < enough:
            nothing = np.full(len(confidence), np.nan)
            return nothing, nothing
        return self.calibrator.predict(confidence), self.calibrator.predict_r(confidence)

    def state(self) -> dict[str, Any]:
        """JSON types; ``restore`` gives it back to the bit. The history is the ledger's, not the state's."""
        parts = ("calibrator", "vote_weights", "manager", "thresholds", "selector", "earned_risk")
        return {name: getattr(self, name).state() for name in parts}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        for name, part in state.items():
            getattr(self, name).restore(part)
