"""Component votes to one score (DESIGN.md 4.1): (1 - w) x technical + w x weighted mean of the ML components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coordinator.settings import DecisionSettings
from coordinator.types import Floats

__all__ = ["COMPONENTS", "ML_COMPONENTS", "Votes", "ml_weights", "unified_score"]

COMPONENTS = ("technical", "lstm", "fusion", "selector", "attention")
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

    def present(self) -> Votes:
        """The same with every half-finite vote made wholly absent: a component that fails drops out."""
        ok = np.isfinite(self.direction) & np.isfinite(self.confidence) & np.isfinite(self.score)
        return Votes(*(np.where(ok, x, np.nan) for x in (self.direction, self.confidence, self.score)))


def ml_weights(settings: DecisionSettings) -> dict[str, float]:
    """The documented vote weights of the ML components; only their proportions matter."""
    return {name: float(getattr(settings, f"weight_{name}")) for name in ML_COMPONENTS}


def unified_score(
    confidences: Mapping[str, Floats], weights: Mapping[str, float], ml_weight: Floats
) -> tuple[Floats, Floats]:
    """Blend the components' confidences, all on one scale.

    Parameters
    ----------
    confidences : mapping of component to ndarray of shape (n,)
        NaN where absent; "technical" is never absent.
    weights : mapping of ML component to weight
        Renormalised over the components that are present at each signal.
    ml_weight : ndarray of shape (n,)
        Say of ML, 0..0.7.

    Returns
    -------
    score, effective_weight : ndarray of shape (n,)
        The effective ML weight is 0 where no ML component is present.

    Examples
    --------
    The documented vote (spec 000) is the blend at an ML weight of 0.70:

    >>> votes = {"technical": 0.65, "lstm": 0.70, "fusion": 0.75, "selector": 0.72, "attention": 0.68}
    >>> documented = {"lstm": 0.25, "fusion": 0.20, "selector": 0.15, "attention": 0.10}
    >>> score, _ = unified_score({k: np.array([v]) for k, v in votes.items()}, documented, np.array([0.7]))
    >>> round(float(score[0]), 3)
    0.696
    """
    technical = confidences["technical"]
    total, weighted = np.zeros(len(technical)), np.zeros(len(technical))
    for name in ML_COMPONENTS:
        if name not in confidences:
            continue
        here = np.isfinite(confidences[name])
        total += weights[name] * here
        weighted += weights[name] * np.where(here, confidences[name], 0.0)
    effective = np.where(total > 0, ml_weight, 0.0)
    ml = weighted / np.where(total > 0, total, 1.0)
    return (1.0 - effective) * technical + effective * ml, effective
