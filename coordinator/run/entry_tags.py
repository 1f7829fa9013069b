"""enter_tag as a trader reads it, with few enough different ones for Freqtrade's tag statistics to be useful."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coordinator.decision.decisions import Decisions
from coordinator.decision.voting import COMPONENTS
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings import Settings
from coordinator.types import Floats

__all__ = ["enter_tags", "trained_share"]

TAG_LENGTH = 255  # Freqtrade's column


def enter_tags(analysis: PairAnalysis, decided: Decisions, settings: Settings) -> list[str]:
    """Tags of a pair's accepted signals: what triggered, the confidence band, and what trained models with a say said.

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
    """Per signal: whether trained models rated it above their median where they had a say, as text.

    Empty in a run without ML. The indicators' fusion and the selector's choice of a tactic are no trained models.
    """
    if not analysis.votes.keys() - {"technical"}:
        return np.full(len(analysis.index), "", dtype=object)
    say = trained_share(analysis, decided)
    if settings.decision.quality_mode != "vote":  # signal quality acts outside of the weight
        spoke = np.isfinite(decided.of("quality"))
        say[:, COMPONENTS.index("quality")] = np.where(spoke & (say.sum(axis=1) == 0), 1.0, 0.0)
    rank = (say * np.nan_to_num(decided.percentile)).sum(axis=1)
    total = say.sum(axis=1)
    texts = np.where(rank >= 0.5 * total, ", ML agrees", ", ML disagrees")
    return np.where(total > 0, texts, ", no ML").astype(object)


def trained_share(analysis: PairAnalysis, decided: Decisions) -> Floats:
    """Trained models' parts of the unified score, shape (n_signals, 6), columns as ``COMPONENTS``; 0 without a say."""
    spoke = np.zeros(decided.share.shape, dtype=bool)
    for name, mask in analysis.trained.items():
        spoke[:, COMPONENTS.index(name)] = mask
    spoke &= np.isfinite(decided.percentile)
    return np.where(spoke, np.nan_to_num(decided.share), 0.0)
