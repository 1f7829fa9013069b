"""enter_tag as a trader reads it, with few enough different ones for Freqtrade's tag statistics to be useful."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coordinator.decision.voting import ML_COMPONENTS
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings import Settings
from coordinator.types import Bools, Floats

__all__ = ["enter_tags"]

TAG_LENGTH = 255  # Freqtrade's column


def enter_tags(analysis: PairAnalysis, accepted: Bools, confidence: Floats, settings: Settings) -> list[str]:
    """Tags of a pair's accepted signals: what triggered, the confidence band, and where ML stood.

    E.g. ``"breakout + momentum, confidence 75 %+, ML agrees"``.
    """
    agreement = _ml_agreement(analysis)[accepted]
    tags = []
    for candle, value, agrees in zip(analysis.index[accepted], confidence, agreement, strict=True):
        trigger = analysis.technical.reasons(candle).split(" (")[0]
        tags.append(f"{trigger}, {_band(value, settings)}{agrees}"[:TAG_LENGTH])
    return tags


def _band(confidence: float, settings: Settings) -> str:
    high, medium = settings.dca.high_confidence, settings.dca.medium_confidence
    if confidence >= high:
        return f"confidence {high:.0%}+"
    return f"confidence {medium:.0%}-{high:.0%}" if confidence >= medium else f"confidence below {medium:.0%}"


def _ml_agreement(analysis: PairAnalysis) -> npt.NDArray[np.object_]:
    """Per signal: the sign of the ML components' summed conviction in the signal's direction, as text."""
    votes = [analysis.votes[name].present() for name in ML_COMPONENTS if name in analysis.votes]
    if not votes:
        return np.full(len(analysis.index), "", dtype=object)
    scores = np.vstack([vote.score for vote in votes]) * analysis.direction
    net = np.nansum(scores, axis=0)
    texts = np.where(net > 0, ", ML agrees", np.where(net < 0, ", ML disagrees", ", ML neutral"))
    return np.where(np.isnan(scores).all(axis=0), ", no ML", texts).astype(object)
