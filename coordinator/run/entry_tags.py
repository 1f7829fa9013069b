"""enter_tag as a trader reads it, with few enough different ones for Freqtrade's tag statistics to be useful."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coordinator.decision.decisions import Decisions
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings import Settings

__all__ = ["enter_tags"]

TAG_LENGTH = 255  # Freqtrade's column


def enter_tags(analysis: PairAnalysis, decided: Decisions, settings: Settings) -> list[str]:
    """Tags of a pair's accepted signals: what triggered, the confidence band, and where ML stood if it had a say.

    E.g. ``"breakout + momentum, confidence 75 %+, ML agrees"``.

    Parameters
    ----------
    decided : Decisions
        On the pair's own signals, in their order.
    """
    rows = np.flatnonzero(decided.accepted)
    agreement = _ml_agreement(analysis, decided, settings)
    tags = []
    for row in rows.tolist():
        trigger = analysis.technical.reasons(analysis.index[row]).split(" (")[0]
        tags.append(f"{trigger}, {_band(decided.confidence[row], settings)}{agreement[row]}"[:TAG_LENGTH])
    return tags


def _band(confidence: float, settings: Settings) -> str:
    high, medium = settings.dca.high_confidence, settings.dca.medium_confidence
    if confidence >= high:
        return f"confidence {high:.0%}+"
    return f"confidence {medium:.0%}-{high:.0%}" if confidence >= medium else f"confidence below {medium:.0%}"


def _ml_agreement(analysis: PairAnalysis, decided: Decisions, settings: Settings) -> npt.NDArray[np.object_]:
    """Per signal: whether ML rated it above its median where it had a say, as text; empty in a run without ML."""
    if not analysis.votes.keys() - {"technical"}:
        return np.full(len(analysis.index), "", dtype=object)
    outside = np.nan if settings.decision.quality_mode == "vote" else decided.of("quality")
    rank = np.where(decided.blended, decided.ml_rank, outside)
    texts = np.where(rank >= 0.5, ", ML agrees", ", ML disagrees")
    return np.where(np.isnan(rank), ", no ML", texts).astype(object)
