"""Signals and votes to decisions, for all pairs together in time order (DESIGN.md 3).

A decision at a candle uses votes of that candle and the history of earlier candles only. The order in which pairs
are handed over changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coordinator.decision.percentile import causal_percentile
from coordinator.decision.voting import COMPONENTS, Votes, ml_weights, unified_score
from coordinator.settings import DecisionSettings
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["Decisions", "Signals", "decide"]


@dataclass(frozen=True)
class Signals:
    """The signals of all pairs; arrays of shape (n,), sorted by time, then pair.

    Attributes
    ----------
    time : int, seconds since the epoch, open time of the signal's candle
    pair : int, index into the caller's list of pairs
    direction : int, +1 or -1
    """

    time: Times
    pair: Ints
    direction: Ints

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True)
class Decisions:
    """What was decided on each signal; arrays of shape (n,).

    Attributes
    ----------
    percentiles : mapping of component to its confidence on the common scale, NaN where absent
    unified_score : float, 0..1, the blend of the percentiles
    unified_confidence : float, 0..1, the blend's own percentile, on which gates and DCA act
    ml_weight : float, the say ML had (0 where no ML component was present)
    threshold : float
    accepted : bool
    rejection : str, why not; empty where accepted
    """

    percentiles: dict[str, Floats]
    unified_score: Floats
    unified_confidence: Floats
    ml_weight: Floats
    threshold: Floats
    accepted: Bools
    rejection: npt.NDArray[np.object_]


def decide(
    signals: Signals, votes: Mapping[str, Votes], settings: DecisionSettings, *, can_short: bool = True
) -> Decisions:
    """Decide on every signal.

    A component's confidence counts in the signal's direction: one that votes against it or holds ranks low among
    its own votes, one that agrees strongly ranks high.

    Parameters
    ----------
    votes : mapping of component to Votes
        "technical" must be there; components left out are absent throughout.
    can_short : bool
        False in spot: short signals are rejected, but rank and resolve like the others.
    """
    n = len(signals)
    percentiles = {}
    for name in COMPONENTS:
        vote = (votes.get(name) or Votes.absent(n)).present()
        percentiles[name] = _common_scale(name, signals, vote, settings)
    score, weight = unified_score(percentiles, ml_weights(settings), np.full(n, settings.ml_weight))
    confidence = score
    if settings.confidence_scale == "percentile":
        # A mean of percentiles is not uniform any more: its own rank is what "better than 70 %" means.
        confidence = _percentile_by_pair(signals, score, 0.0, settings)
    tradable = (signals.direction > 0) | can_short
    sure = confidence >= settings.threshold
    rejections = [f"confidence below {settings.threshold:.0%}", "no shorts in spot"]
    rejection = np.select([~sure, ~tradable], rejections, default="").astype(object)
    return Decisions(
        percentiles=percentiles,
        unified_score=score,
        unified_confidence=confidence,
        ml_weight=weight,
        threshold=np.full(n, settings.threshold),
        accepted=sure & tradable,
        rejection=rejection,
    )


def _common_scale(name: str, signals: Signals, vote: Votes, settings: DecisionSettings) -> Floats:
    if settings.confidence_scale == "raw":
        return np.clip(signals.direction * vote.direction, 0, None) * vote.confidence
    low = 0.0 if name == "technical" else -1.0  # the baseline never votes against its own signal
    return _percentile_by_pair(signals, signals.direction * vote.score, low, settings)


def _percentile_by_pair(signals: Signals, values: Floats, low: float, settings: DecisionSettings) -> Floats:
    """Ranks among the pair's own signals: a pair list that changes while trading leaves the others' scale alone."""
    out = np.full(len(values), np.nan)
    for pair in np.unique(signals.pair):
        mine = signals.pair == pair
        out[mine] = causal_percentile(
            signals.time[mine],
            values[mine],
            window=settings.percentile_window,
            prior=settings.percentile_prior,
            low=low,
        )
    return out
