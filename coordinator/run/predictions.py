"""FreqAI's predictions as votes of the trained components and signal quality on a pair's signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.components.absence import ABSENCE_REASONS, BEFORE, UNUSABLE_PREDICTIONS
from coordinator.decision.voting import Votes
from coordinator.portfolio.slot_terms import TERMS
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.types import Floats

__all__ = ["with_predictions", "without_component"]


def with_predictions(
    analysis: PairAnalysis, predictions: pd.DataFrame, components: Sequence[str]
) -> PairAnalysis:
    """Add the votes of the trained components, and signal quality, from FreqAI's columns.

    A network's columns are ``<component>_hold``, ``_buy`` and ``_sell``: its direction is the likeliest class, its
    confidence that class's probability, its conviction P(buy) - P(sell). Models of fusion
    (``fusion_model_direction``, ``_confidence``, ``_score``) speak in place of the indicators' fusion where they are
    present. Without its columns (no model yet), or where FreqAI or the model says that a prediction must not be used,
    a component is absent, with the reason. "slots" does not vote: its columns become ``slot_terms``.
    """
    for component in components:
        if component == "quality":
            analysis = _with_quality(analysis, predictions)
        elif component == "fusion":
            analysis = _with_fusion(analysis, predictions)
        elif component == "slots":
            analysis = _with_slots(analysis, predictions)
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
    predicted = predictions["do_predict"].to_numpy(dtype=float) != 0
    first = int(predicted.argmax())  # 0 where nothing was predicted: that is no history
    values = np.vstack([rows[column].to_numpy(dtype=float) for column in columns])
    do_predict = rows["do_predict"].to_numpy(dtype=float)
    cases = [analysis.index < first, *(do_predict == code for code in UNUSABLE_PREDICTIONS)]
    texts = [BEFORE, *UNUSABLE_PREDICTIONS.values()]
    if f"{component}_absence" in rows:
        code = rows[f"{component}_absence"].to_numpy(dtype=float)
        cases, texts = (
            [*(code == absent for absent in ABSENCE_REASONS), *cases],
            [*ABSENCE_REASONS.values(), *texts],
        )
    reasons = np.select([*cases, do_predict != 1], [*texts, "not usable"], "").astype(object)
    return values, reasons


def _with_network(analysis: PairAnalysis, predictions: pd.DataFrame, component: str) -> PairAnalysis:
    columns = _columns(
        analysis, predictions, component, [f"{component}_{name}" for name in ("hold", "buy", "sell")]
    )
    if columns is None:
        return without_component(analysis, component, "no model yet")
    probabilities, reasons = columns
    empty = ~(np.abs(probabilities.sum(axis=0) - 1) < 1e-3)  # FreqAI fills with zeros
    reasons[(reasons == "") & empty] = "no prediction"
    vote = _vote(np.where(reasons == "", probabilities, np.nan))
    return replace(
        analysis,
        votes={**analysis.votes, component: vote},
        absence_reasons={**analysis.absence_reasons, component: reasons},
        trained={**analysis.trained, component: reasons == ""},
    )


def _with_fusion(analysis: PairAnalysis, predictions: pd.DataFrame) -> PairAnalysis:
    columns = _columns(
        analysis,
        predictions,
        "fusion",
        [f"fusion_model_{name}" for name in ("direction", "confidence", "score")],
    )
    if columns is None:
        return analysis
    (direction, confidence, score), reasons = columns
    present = (reasons == "") & (confidence > 0) & np.isfinite(score)  # FreqAI fills with zeros
    indicators = analysis.votes.get("fusion") or Votes.absent(len(present))
    vote = Votes(
        np.where(present, direction, indicators.direction),
        np.where(present, confidence, indicators.confidence),
        np.where(present, score, indicators.score),
    )
    absent = analysis.absence_reasons.get("fusion", np.full(len(present), "", dtype=object))
    return replace(
        analysis,
        votes={**analysis.votes, "fusion": vote},
        absence_reasons={
            **analysis.absence_reasons,
            "fusion": np.where(present, "", absent).astype(object),
        },
        trained={**analysis.trained, "fusion": present},
    )


def _with_quality(analysis: PairAnalysis, predictions: pd.DataFrame) -> PairAnalysis:
    # Of several clocks each has its own.
    name = analysis.series.replace(analysis.pair, "quality", 1).replace(" ", "_")
    columns = _columns(analysis, predictions, name, [f"signal_{name}"])
    if columns is None:
        return without_component(analysis, "quality", "no model yet")
    (quality,), reasons = columns
    reasons[(reasons == "") & ~(quality > 0)] = "no prediction"  # FreqAI fills with zeros
    confidence = np.where(reasons == "", quality, np.nan)
    return replace(
        analysis,
        votes={**analysis.votes, "quality": Votes.in_favour(analysis.direction, confidence)},
        absence_reasons={**analysis.absence_reasons, "quality": reasons},
        trained={**analysis.trained, "quality": reasons == ""},
    )


def _with_slots(analysis: PairAnalysis, predictions: pd.DataFrame) -> PairAnalysis:
    columns = _columns(analysis, predictions, "slots", [f"slots_{name}" for name in TERMS])
    if columns is None:
        return without_component(analysis, "slots", "no model yet")
    terms, reasons = columns
    empty = ~np.isfinite(terms).all(axis=0) | (terms == 0).all(axis=0)  # FreqAI fills with zeros
    reasons[(reasons == "") & empty] = "no prediction"
    return replace(
        analysis,
        slot_terms=np.where(reasons == "", terms, np.nan).T,
        absence_reasons={**analysis.absence_reasons, "slots": reasons},
    )


def without_component(analysis: PairAnalysis, component: str, reason: str) -> PairAnalysis:
    """The same analysis with a component absent from every signal."""
    votes = {name: vote for name, vote in analysis.votes.items() if name != component}
    reasons = np.full(len(analysis.index), reason, dtype=object)
    return replace(
        analysis,
        votes=votes,
        absence_reasons={**analysis.absence_reasons, component: reasons},
        trained={name: spoke for name, spoke in analysis.trained.items() if name != component},
        slot_terms=None if component == "slots" else analysis.slot_terms,
    )


def _vote(probabilities: Floats) -> Votes:
    """From the probabilities of hold, buy and sell, shape (3, n); NaN where the component is absent."""
    present = np.isfinite(probabilities).all(axis=0)
    likely = np.where(present, probabilities, 0.0)
    best = np.array([0.0, 1.0, -1.0])[np.argmax(likely, axis=0)]
    return Votes(
        direction=np.where(present, best, np.nan),
        confidence=np.where(present, likely.max(axis=0), np.nan),
        score=probabilities[1] - probabilities[2],
    )
