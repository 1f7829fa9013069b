"""What becomes known of signals together, and what is learned of each clock by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coordinator.decision.calibration import Calibrator
from coordinator.decision.earned_risk import EarnedRisk
from coordinator.decision.outcomes import EXITS
from coordinator.settings import Settings
from coordinator.types import Bools, Floats, Ints

__all__ = ["ClockLearners", "ResolvedSignals"]

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

    def won(self, resolved: ResolvedSignals, rows: Bools | slice) -> Bools:
        """Which of its outcomes among those of all clocks were won: the target, or without targets a profit."""
        reached: Bools = resolved.exit[rows] == TARGET if self._targets else resolved.r[rows] > 0.0
        return reached

    def learn(self, now: int, resolved: ResolvedSignals, rows: Bools | slice) -> None:
        """Take its outcomes among those of all clocks."""
        r = resolved.r[rows]
        self.calibrator.learn(resolved.confidence[rows], self.won(resolved, rows), r)
        if self._earns:
            self.earned_risk.learn(now, r[resolved.takeable[rows]])
        days = resolved.days[rows].tolist()
        self.time_ = [self.time_[0] + sum(days), self.time_[1] + len(days)]

    def state(self) -> dict[str, Any]:
        """JSON types."""
        parts = {"calibrator": self.calibrator.state(), "earned_risk": self.earned_risk.state()}
        return {**parts, "time": list(self.time_)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self.calibrator.restore(state["calibrator"])
        self.earned_risk.restore(state["earned_risk"])
        self.time_ = [float(state["time"][0]), int(state["time"][1])]
