"""One pair's candles analysed: everything of a pair that decisions and trades are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from coordinator.decision.voting import Votes
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import Fusion, fuse
from coordinator.signals.regime import Regime, compute_regime
from coordinator.signals.technical import Technical, compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance
from coordinator.types import Floats, Ints

__all__ = ["PairAnalysis", "analyse", "with_lstm"]


@dataclass(frozen=True)
class PairAnalysis:
    """Arrays of shape (n_candles,) unless stated.

    Attributes
    ----------
    index : int, shape (n_signals,), the candles with a signal
    direction : int, shape (n_signals,)
    stop_distance, target_distance : float, shape (n_signals,), ratios of the entry price
    votes : mapping of component to its votes on the signals
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
    votes: Mapping[str, Votes] = field(default_factory=dict)


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
    fusion = fuse(candles, views, settings.fusion)
    index = np.flatnonzero(technical.signal)
    direction = technical.signal[index]
    stop = initial_stop_distance(candles, technical.signal, settings.stops)[index]
    confidence = technical.signal_confidence[index]
    votes = {"technical": Votes(direction.astype(float), confidence, direction * confidence)}
    if ml:
        fused = fusion.direction[index].astype(float)
        votes["fusion"] = Votes(fused, fusion.confidence[index], fusion.score[index])
    return PairAnalysis(
        pair=pair,
        candles=candles,
        technical=technical,
        fusion=fusion,
        regime=compute_regime(candles, settings.regime),
        index=index,
        direction=direction,
        stop_distance=stop,
        target_distance=target_distance(stop, direction, settings.targets, settings.costs),
        votes=votes,
    )


def with_lstm(analysis: PairAnalysis, predictions: pd.DataFrame) -> PairAnalysis:
    """Add the LSTM's votes from FreqAI's columns; without them (no model yet) it is absent.

    Its direction is the likeliest class, its confidence that class's probability, its conviction P(buy) - P(sell).
    """
    needed = ("lstm_hold", "lstm_buy", "lstm_sell", "do_predict")
    if any(column not in predictions for column in needed):
        return analysis
    rows = predictions.iloc[analysis.index]
    hold, buy, sell, usable = (rows[column].to_numpy(dtype=float) for column in needed)
    probabilities = np.vstack((hold, buy, sell))
    usable = (usable == 1) & (np.abs(probabilities.sum(axis=0) - 1) < 1e-3)  # zeros stand for "no prediction"
    probabilities = np.where(usable, probabilities, np.nan)
    best = np.array([0.0, 1.0, -1.0])[np.argmax(np.where(usable, probabilities, 0.0), axis=0)]
    vote = Votes(
        direction=np.where(usable, best, np.nan),
        confidence=np.where(usable, np.max(np.where(usable, probabilities, 0.0), axis=0), np.nan),
        score=probabilities[1] - probabilities[2],
    )
    return replace(analysis, votes={**analysis.votes, "lstm": vote})
