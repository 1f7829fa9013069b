"""One pair's candles analysed: everything of a pair that decisions and trades are made from."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.decision.voting import Votes
from coordinator.run.improvements import Improved, improve_signals
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import Fusion, fuse
from coordinator.signals.regime import Regime, compute_regime
from coordinator.signals.technical import Technical, compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance
from coordinator.types import Floats, Ints

__all__ = [
    "ABSENCES",
    "FAILED",
    "LATE",
    "NO_MODEL",
    "SEEN",
    "PairAnalysis",
    "analyse",
    "with_predictions",
    "without",
]

logger = logging.getLogger(__name__)

LATE = 3  # our own value of FreqAI's do_predict
NO_MODEL, FAILED, SEEN = 1, 2, 3
ABSENCES = {
    NO_MODEL: "no model: none was good enough",
    FAILED: "raised an exception",
    SEEN: "the model was trained on this candle",
}
"""Values of a model's columns ``<component>_absence``, in words; 0 is none."""
UNUSABLE = {0: "not usable", 2: "stale: the model has expired", LATE: "late"}


@dataclass(frozen=True)
class PairAnalysis:
    """Arrays of shape (n_candles,) unless stated.

    Attributes
    ----------
    index : int, shape (n_signals,), the candles with a signal
    direction : int, shape (n_signals,)
    stop_distance, target_distance : float, shape (n_signals,), ratios of the entry price
    votes : mapping of component to its votes on the signals
    quality : float, shape (n_signals,), 0..1, a signal-quality model's confidence; NaN where it is absent
    absences : mapping of component to why it does not vote, texts of shape (n_signals,), empty where it does
    improved : mapping of an improvement that is not off to its numbers in full; ``target_distance`` is without
    """

    pair: str
    candles: Candles
    technical: Technical
    fusion: Fusion
    regime: Regime
    index: Ints
    direction: Ints
    stop_distance: Floats
    target_distance: Floats
    votes: Mapping[str, Votes]
    quality: Floats
    absences: Mapping[str, npt.NDArray[np.object_]]
    improved: Mapping[str, Improved] = field(default_factory=dict)


def analyse(
    pair: str, candles: Candles, higher: Mapping[str, Candles], settings: Settings, ml: bool
) -> PairAnalysis:
    """Baseline, fusion, stops and targets of a pair.

    Parameters
    ----------
    higher : mapping of "4h" and "1d" to the same pair's candles; may be empty ones
    ml : bool
        Whether ML components vote; without them only the technical vote is recorded.
    """
    technical = compute_technical(candles, settings.baseline)
    views = {"1h": (candles, technical)}
    views |= {name: (frame, compute_technical(frame, settings.baseline)) for name, frame in higher.items()}
    fusion, why = _fusion(candles, views, settings)
    index = np.flatnonzero(technical.signal)
    direction = technical.signal[index]
    stop = initial_stop_distance(candles, technical.signal, settings.stops)[index]
    confidence = technical.signal_confidence[index]
    votes = {"technical": Votes(direction.astype(float), confidence, direction * confidence)}
    absences = {}
    if ml:
        fused = fusion.direction[index].astype(float)
        vote = Votes(fused, fusion.confidence[index], fusion.score[index]).present()
        votes["fusion"] = vote
        absences["fusion"] = np.where(np.isnan(vote.score), why, "").astype(object)
    regime = compute_regime(candles, settings.regime)
    improved = improve_signals(pair, candles, technical.indicators, regime, index, direction, settings)
    return PairAnalysis(
        pair=pair,
        candles=candles,
        technical=technical,
        fusion=fusion,
        regime=regime,
        index=index,
        direction=direction,
        stop_distance=stop,
        target_distance=target_distance(stop, direction, settings.targets, settings.costs),
        votes=votes,
        quality=np.full(len(index), np.nan),
        absences=absences,
        improved=improved,
    )


def _fusion(
    candles: Candles, views: Mapping[str, tuple[Candles, Technical]], settings: Settings
) -> tuple[Fusion, str]:
    """The fusion, or nothing and why: a component that raises drops out."""
    try:
        fusion = fuse(candles, views, settings.fusion)
    except Exception as error:
        logger.exception("The fusion failed and is absent")
        return Fusion.absent(len(candles)), f"raised {type(error).__name__}"
    missing = [name for name, (frame, _) in views.items() if not len(frame)]
    return fusion, f"no {' and '.join(missing)} candles" if missing else "not finite"


def with_predictions(
    analysis: PairAnalysis, predictions: pd.DataFrame, components: Sequence[str]
) -> PairAnalysis:
    """Add what FreqAI's columns say: the votes of trained components, and signal quality.

    A network's columns are ``<component>_hold``, ``_buy`` and ``_sell``: its direction is the likeliest class, its
    confidence that class's probability, its conviction P(buy) - P(sell). Models of fusion
    (``fusion_model_direction``, ``_confidence``, ``_score``) speak in place of the indicators' fusion where they are
    present. Without its columns (no model yet), or where FreqAI or the model says that a prediction must not be used,
    a component is absent, with the reason.
    """
    for component in components:
        if component == "quality":
            analysis = _with_quality(analysis, predictions)
        elif component == "fusion":
            analysis = _with_fusion(analysis, predictions)
        else:
            analysis = _with_network(analysis, predictions, component)
    return analysis


def _columns(
    analysis: PairAnalysis, predictions: pd.DataFrame, component: str, columns: Sequence[str]
) -> tuple[Floats, npt.NDArray[np.object_]] | None:
    """Columns at the signals, shape (len(columns), n_signals), and why they must not be used; None without them."""
    if any(column not in predictions for column in (*columns, "do_predict")):
        return None
    rows = predictions.iloc[analysis.index]
    values = np.vstack([rows[column].to_numpy(dtype=float) for column in columns])
    usable = rows["do_predict"].to_numpy(dtype=float)
    named, reasons = [usable == code for code in UNUSABLE], list(UNUSABLE.values())
    if f"{component}_absence" in rows:
        code = rows[f"{component}_absence"].to_numpy(dtype=float)
        named, reasons = [*named, *(code == x for x in ABSENCES)], [*reasons, *ABSENCES.values()]
    why = np.select([*named, usable != 1], [*reasons, "not usable"], "").astype(object)
    return values, why


def _with_network(analysis: PairAnalysis, predictions: pd.DataFrame, component: str) -> PairAnalysis:
    columns = [f"{component}_{name}" for name in ("hold", "buy", "sell")]
    found = _columns(analysis, predictions, component, columns)
    if found is None:
        return without(analysis, component, "no model yet")
    probabilities, why = found
    nothing = ~(np.abs(probabilities.sum(axis=0) - 1) < 1e-3)  # FreqAI fills with zeros
    why[(why == "") & nothing] = "no prediction"
    vote = _vote(np.where(why == "", probabilities, np.nan))
    return replace(
        analysis,
        votes={**analysis.votes, component: vote},
        absences={**analysis.absences, component: why},
    )


def _with_fusion(analysis: PairAnalysis, predictions: pd.DataFrame) -> PairAnalysis:
    columns = [f"fusion_model_{name}" for name in ("direction", "confidence", "score")]
    found = _columns(analysis, predictions, "fusion", columns)
    if found is None:
        return analysis
    (direction, confidence, score), why = found
    there = (why == "") & (confidence > 0) & np.isfinite(score)  # FreqAI fills with zeros
    own = analysis.votes.get("fusion") or Votes.absent(len(there))
    vote = Votes(
        np.where(there, direction, own.direction),
        np.where(there, confidence, own.confidence),
        np.where(there, score, own.score),
    )
    absent = analysis.absences.get("fusion", np.full(len(there), "", dtype=object))
    return replace(
        analysis,
        votes={**analysis.votes, "fusion": vote},
        absences={**analysis.absences, "fusion": np.where(there, "", absent).astype(object)},
    )


def _with_quality(analysis: PairAnalysis, predictions: pd.DataFrame) -> PairAnalysis:
    found = _columns(analysis, predictions, "quality", ["signal_quality"])
    if found is None:
        return without(analysis, "quality", "no model yet")
    (quality,), why = found
    why[(why == "") & ~(quality > 0)] = "no prediction"  # FreqAI fills with zeros
    return replace(
        analysis,
        quality=np.where(why == "", quality, np.nan),
        absences={**analysis.absences, "quality": why},
    )


def without(analysis: PairAnalysis, component: str, reason: str) -> PairAnalysis:
    """The same with a component absent from every signal."""
    votes = {name: vote for name, vote in analysis.votes.items() if name != component}
    why = np.full(len(analysis.index), reason, dtype=object)
    return replace(analysis, votes=votes, absences={**analysis.absences, component: why})


def _vote(probabilities: Floats) -> Votes:
    """From the probabilities of hold, buy and sell, shape (3, n); NaN where the component is absent."""
    there = np.isfinite(probabilities).all(axis=0)
    likely = np.where(there, probabilities, 0.0)
    best = np.array([0.0, 1.0, -1.0])[np.argmax(likely, axis=0)]
    return Votes(
        direction=np.where(there, best, np.nan),
        confidence=np.where(there, likely.max(axis=0), np.nan),
        score=probabilities[1] - probabilities[2],
    )
