"""All that learns from outcomes, updated together and stored together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coordinator.decision.blending.manager import PHASES, MLWeightManager, WeightReview
from coordinator.decision.calibration import Calibrator
from coordinator.decision.earned_risk import EarnedRisk
from coordinator.decision.outcomes import EXITS
from coordinator.decision.pair_records import PairChange
from coordinator.decision.selector import TacticSelector, tactic_profit
from coordinator.decision.thresholds import AdaptiveThresholds
from coordinator.decision.vote_weights import VoteWeights
from coordinator.decision.voting import ML_COMPONENTS, ml_weights
from coordinator.settings import Settings
from coordinator.signals.clock import CLOCKS
from coordinator.types import Bools, Floats, Ints

__all__ = ["ClockLearners", "History", "Learners", "ResolvedSignals"]

TARGET = EXITS.index("target")


@dataclass(frozen=True)
class ResolvedSignals:
    """Signals whose outcome has become known, in the order in which it did; arrays of shape (n,) unless stated.

    What was known and decided at the signal, and what became of it; see ``SignalTable`` and ``Decisions``.
    ``pair`` is the series, ``days`` the time from the signal to its outcome; ``takeable`` is False where something
    other than its confidence bars a signal, ``decidable`` where something other than ML does (a re-armed signal counts
    while re-arming is in shadow); ``next_state`` is the pair's market state at the resolution,
    ``chosen_direction`` the selected tactic's.
    """

    pair: Sequence[str]
    clock: Ints
    days: Floats
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
    decidable: Bools
    arm: Ints
    r: Floats
    exit: Ints


@dataclass
class History:
    """What changed, in time order, for the ledger."""

    reviews: list[WeightReview]
    thresholds: list[PairChange]
    weights: list[tuple[int, dict[str, float]]]


class ClockLearners:
    """What is learned of each clock by itself.

    Attributes
    ----------
    calibrator : confidence to win probability and expected R
    earned_risk : the share of the risk that it has earned
    time_ : [sum of days, count] of its virtual trades
    """

    def __init__(self, settings: Settings) -> None:
        self._targets, self._earns = settings.targets.enabled, settings.sizing.earned.mode != "off"
        self.calibrator = Calibrator(settings.calibration, settings.targets.reward_risk)
        self.earned_risk = EarnedRisk(settings.sizing.earned)
        self.time_ = [0.0, 0]

    @property
    def expected_days(self) -> float:
        """Mean time of its virtual trades, days; NaN before the first."""
        total, count = self.time_
        return total / count if count else float("nan")

    def learn(self, now: int, resolved: ResolvedSignals, rows: Bools | slice) -> Bools:
        """Take its outcomes among those of all clocks; which of them were won."""
        r = resolved.r[rows]
        won: Bools = resolved.exit[rows] == TARGET if self._targets else r > 0.0
        self.calibrator.learn(resolved.confidence[rows], won, r)
        if self._earns:
            self.earned_risk.learn(now, r[resolved.takeable[rows]])
        days = resolved.days[rows].tolist()
        self.time_ = [self.time_[0] + sum(days), self.time_[1] + len(days)]
        return won

    def state(self) -> dict[str, Any]:
        """JSON types."""
        parts = {"calibrator": self.calibrator.state(), "earned_risk": self.earned_risk.state()}
        return {**parts, "time": list(self.time_)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self.calibrator.restore(state["calibrator"])
        self.earned_risk.restore(state["earned_risk"])
        self.time_ = [float(state["time"][0]), int(state["time"][1])]


class Learners:
    """The learners of one fold.

    Attributes
    ----------
    clocks : code of a clock to what is learned of it by itself
    vote_weights, manager, thresholds, selector : the learners of all together
    history : what changed so far
    """

    def __init__(self, settings: Settings) -> None:
        self.clocks = {
            CLOCKS.index(name): ClockLearners(settings.on_clock(name)) for name in settings.clock_names
        }
        self.vote_weights = VoteWeights(settings.vote_weights, ml_weights(settings.decision))
        decision = settings.decision
        self.manager = MLWeightManager(settings.blending, decision.threshold, decision.baseline_threshold)
        self.thresholds = AdaptiveThresholds(settings.thresholds, settings.decision.threshold)
        self.selector = TacticSelector(settings.selector)
        self.history = History([], [], [])

    @property
    def phase(self) -> int:
        """Index into ``PHASES``."""
        return PHASES.index(self.manager.phase)

    def learn(self, now: int, resolved: ResolvedSignals) -> None:
        """Teach every learner what resolved before ``now`` (seconds since the epoch)."""
        won = np.zeros(len(resolved.r), dtype=bool)
        for learners, rows in self._rows(resolved.clock):
            won[rows] = learners.learn(now, resolved, rows)
        before = self.vote_weights.weights
        self.vote_weights.learn(resolved.percentile[:, 1 : 1 + len(ML_COMPONENTS)], won)
        if self.vote_weights.weights != before:
            self.history.weights.append((now, self.vote_weights.weights))
        profit = tactic_profit(resolved.direction, resolved.chosen_direction, resolved.r * resolved.stop)
        self.selector.learn(resolved.state, resolved.tactic, profit, resolved.next_state)
        self.history.thresholds += self.thresholds.learn(
            now, resolved.pair, resolved.confidence, resolved.expected_r, resolved.r
        )
        # What market or side forbids is no evidence of what ML's say is worth.
        counted = resolved.decidable | (self.manager.settings.criterion == "accuracy")
        review = self.manager.learn(
            now,
            np.where(counted, resolved.ml_rank, np.nan),
            resolved.percentile[:, 0],
            resolved.r,
            arm=resolved.arm,
            accepted=resolved.accepted,
        )
        if review is not None:
            self.history.reviews.append(review)

    def predict_r(self, clock: Ints, confidence: Floats, enough: int) -> tuple[Floats, Floats]:
        """Win probability and expected R of confidences; NaN until ``enough`` outcomes of their clock are known."""
        p, r = np.full(len(confidence), np.nan), np.full(len(confidence), np.nan)
        for learners, rows in self._rows(clock):
            if learners.calibrator.outcomes_ >= enough:
                p[rows] = learners.calibrator.predict(confidence[rows])
                r[rows] = learners.calibrator.predict_r(confidence[rows])
        return p, r

    def by_clock(self, clock: Ints, number: Callable[[ClockLearners], float]) -> Floats:
        """A number of each row's clock, shape (n,); of the only clock where there is one."""
        out = np.full(len(clock), np.nan)
        for learners, rows in self._rows(clock):
            out[rows] = number(learners)
        return out

    def _rows(self, clock: Ints) -> Iterator[tuple[ClockLearners, Bools | slice]]:
        """Each clock's learners with its rows; without a mask where there is one clock, as there nearly always is."""
        if len(self.clocks) == 1:
            yield next(iter(self.clocks.values())), slice(None)
            return
        for code, learners in self.clocks.items():
            yield learners, clock == code

    def state(self) -> dict[str, Any]:
        """JSON types; ``restore`` gives it back to the bit. The history is the ledger's, not the state's."""
        parts = ("vote_weights", "manager", "thresholds", "selector")
        clocks = {CLOCKS[code]: learners.state() for code, learners in self.clocks.items()}
        return {"clocks": clocks, **{name: getattr(self, name).state() for name in parts}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        for code, learners in self.clocks.items():
            learners.restore(state["clocks"][CLOCKS[code]])
        for name in ("vote_weights", "manager", "thresholds", "selector"):
            getattr(self, name).restore(state[name])
