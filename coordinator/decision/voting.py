"""Component votes: who votes, and with what (DESIGN.md 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.settings.decision import COMPONENTS, DecisionSettings
from coordinator.types import Bools, Floats, Ints

__all__ = ["COMPONENTS", "ML_COMPONENTS", "Votes", "ml_weights"]

ML_COMPONENTS = COMPONENTS[1:]


@dataclass(frozen=True)
class Votes:
    """One component's votes on a table of signals; arrays of shape (n_signals,).

    Attributes
    ----------
    direction : float
        +1, -1, 0 (hold), or NaN where the component is absent.
    confidence : float
        0..1 on the component's own scale, NaN where absent.
    score : float
        -1..1, the component's signed conviction, from which its percentile is taken; NaN where absent.
    """

    direction: Floats
    confidence: Floats
    score: Floats

    @classmethod
    def absent(cls, n: int) -> Votes:
        """A component that says nothing on any of ``n`` signals."""
        return cls(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan))

    @classmethod
    def in_favour(cls, direction: Ints, confidence: Floats) -> Votes:
        """Votes in the signals' own direction; absent where the confidence is NaN."""
        own = np.where(np.isfinite(confidence), direction, np.nan)
        return cls(own, confidence, own * confidence)

    def rows(self, index: Ints | Bools | slice) -> Votes:
        """Some of the votes."""
        return Votes(self.direction[index], self.confidence[index], self.score[index])

    @staticmethod
    def join(one: Votes, two: Votes) -> Votes:
        """The votes of both, the first's first."""
        parts = ("direction", "confidence", "score")
        return Votes(*(np.concatenate((getattr(one, part), getattr(two, part))) for part in parts))

    def present(self) -> Votes:
        """The same with every half-finite vote made wholly absent: a component that fails drops out."""
        ok = np.isfinite(self.direction) & np.isfinite(self.confidence) & np.isfinite(self.score)
        return Votes(*(np.where(ok, part, np.nan) for part in (self.direction, self.confidence, self.score)))


def ml_weights(settings: DecisionSettings) -> dict[str, float]:
    """The vote weights of the ML components before anything is learned; only their proportions matter.

    Signal quality has none where ``quality_mode`` gives it another way to act.
    """
    weights = {name: float(getattr(settings, f"weight_{name}")) for name in ML_COMPONENTS}
    return weights if settings.quality_mode == "vote" else {**weights, "quality": 0.0}
