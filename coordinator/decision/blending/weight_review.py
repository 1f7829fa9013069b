"""What a review of the ML weight, or a breaker, made of it."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.decision.blending.evidence import Evidence
from coordinator.decision.blending.gains import GainEvidence
from coordinator.decision.blending.review import PHASES, SHADOW

__all__ = ["WeightReview"]


@dataclass(frozen=True)
class WeightReview:
    """One review or breaker, for the ledger.

    Attributes
    ----------
    time : int, seconds since the epoch
    phase_before, phase_after : str
    weight_before, weight_after : float, 0..0.7
    reason : str, in words
    evidence : Evidence or GainEvidence, as the criterion has it
    losing_run : int, ML trades lost in a row up to now, or with criterion "r" days
    """

    time: int
    phase_before: str
    phase_after: str
    weight_before: float
    weight_after: float
    reason: str
    evidence: Evidence | GainEvidence
    losing_run: int

    @property
    def is_rollback(self) -> bool:
        """Whether ML fell back to shadow: analyse, retrain, and begin again from there (spec 001)."""
        fell = PHASES.index(self.phase_before) > SHADOW
        return fell and PHASES.index(self.phase_after) == SHADOW
