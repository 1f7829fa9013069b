"""What was decided on each signal, and what was known when it was."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from coordinator.decision.table import SignalTable
from coordinator.decision.voting import COMPONENTS, Votes
from coordinator.types import Bools, Floats, Ints

__all__ = ["AGAINST_MARKET", "AVOIDED_STATE", "REARMED_ALONE", "REARMED_SHADOW", "REJECTIONS", "Decisions"]

REJECTIONS = (
    "",
    "confidence below the threshold",
    "expected R not above 0",
    "no shorts in spot",
    "quality too low",
    "against the market",
    "the trend goes on, and no model speaks for the signal",
    "re-arming in shadow mode",
    "a state of the market that is avoided",
)
"""Why a signal was not taken, by code; 0 is accepted. The first that applies counts."""

AGAINST_MARKET, REARMED_ALONE, REARMED_SHADOW, AVOIDED_STATE = 5, 6, 7, 8


@dataclass(frozen=True)
class Decisions:
    """Arrays of shape (n,) over a ``SignalTable`` unless stated.

    Attributes
    ----------
    percentile : float, shape (n, 6), each component's confidence on the common scale, NaN where absent; columns
        as ``COMPONENTS``
    share : float, shape (n, 6), each component's part of the unified score, sum 1, 0 where it has no say; columns
        as ``COMPONENTS``; NaN where nothing was decided
    tactic : int, the selector's choice, index into ``TACTICS``; -1 where it had none to choose
    ml_score : float, the ML components' weighted mean; NaN where none is present
    ml_rank : float, its own causal percentile; NaN likewise
    unified_score : float, 0..1, the blend
    confidence : float, 0..1: the blend's own percentile, or the technical one where the baseline decides
    ml_weight : float, 0..0.7, the say ML had; 0 where the baseline decided
    blended : bool, whether ML had a say
    arm : int, 1 blend, 0 baseline in the pilot phase; -1 outside of it
    phase : int, index into ``PHASES``; -1 with a fixed weight
    threshold : float, the gate
    adaptive_threshold : float, what adaptive thresholds give, in shadow mode too; NaN where they are off
    win_probability, expected_r : float, calibrated, from outcomes known before; NaN until there are enough
    expected_days : float, mean time of the clock's virtual trades so far, days; NaN before the first
    risk_share : float, share of the risk budget that is earned, in shadow mode too; NaN where that is off
    rejection : int, index into ``REJECTIONS``; -1 where nothing was decided
    """

    percentile: Floats
    share: Floats
    tactic: Ints
    ml_score: Floats
    ml_rank: Floats
    unified_score: Floats
    confidence: Floats
    ml_weight: Floats
    blended: Bools
    arm: Ints
    phase: Ints
    threshold: Floats
    adaptive_threshold: Floats
    win_probability: Floats
    expected_r: Floats
    expected_days: Floats
    risk_share: Floats
    rejection: Ints

    @property
    def accepted(self) -> Bools:
        """Whether the signal was taken."""
        taken: Bools = self.rejection == 0
        return taken

    def selector_votes(self, table: SignalTable) -> Votes:
        """What the chosen tactics said; absent where none was chosen. The other components' votes are the table's."""
        rows, chosen, has_tactic = np.arange(len(table)), np.maximum(self.tactic, 0), self.tactic >= 0
        direction = np.where(has_tactic, table.tactic_direction[rows, chosen], np.nan)
        confidence = np.where(has_tactic, table.tactic_confidence[rows, chosen], np.nan)
        return Votes(direction, confidence, direction * confidence)

    def of(self, component: str) -> Floats:
        """A component's percentiles, shape (n,)."""
        column: Floats = self.percentile[:, COMPONENTS.index(component)]
        return column

    def rows(self, index: Ints | Bools | slice) -> Decisions:
        """Some of the decisions."""
        return Decisions(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @staticmethod
    def join(one: Decisions, two: Decisions) -> Decisions:
        """The decisions of both, the first's first."""
        return Decisions(
            **{f.name: np.concatenate((getattr(one, f.name), getattr(two, f.name))) for f in fields(one)}
        )

    @classmethod
    def empty(cls, n: int) -> Decisions:
        """Room for ``n`` decisions, everything absent."""
        floats = {f.name: np.full(n, np.nan) for f in fields(cls) if f.type == "Floats"}
        ints = {f.name: np.full(n, -1, dtype=np.int64) for f in fields(cls) if f.type == "Ints"}
        wide = {name: np.full((n, len(COMPONENTS)), np.nan) for name in ("percentile", "share")}
        blended: npt.NDArray[np.bool_] = np.zeros(n, dtype=bool)
        return cls(**{**floats, **ints, **wide, "blended": blended})
