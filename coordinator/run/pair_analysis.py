"""One pair's candles analysed: all that its decisions and trades are made from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from coordinator.decision.voting import Votes
from coordinator.run.improvements import Improvement, signal_improvements
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import Fusion, fuse
from coordinator.signals.regime import Regime, compute_regime
from coordinator.signals.technical import Technical, compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance
from coordinator.types import Floats, Ints

__all__ = ["PairAnalysis", "analyse"]

logger = logging.getLogger(__name__)


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
    absence_reasons : mapping of component to why it does not vote, texts of shape (n_signals,), empty where it does
    improvements : mapping of an improvement that is not off to its numbers without a limit, not in ``target_distance``
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
    absence_reasons: Mapping[str, npt.NDArray[np.object_]]
    improvements: Mapping[str, Improvement] = field(default_factory=dict)


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
    fusion, missing = _fusion(candles, views, settings)
    index = np.flatnonzero(technical.signal)
    direction = technical.signal[index]
    stop = initial_stop_distance(candles, technical.signal, settings.stops)[index]
    confidence = technical.signal_confidence[index]
    votes = {"technical": Votes(direction.astype(float), confidence, direction * confidence)}
    absence_reasons = {}
    if ml:
        fused = fusion.direction[index].astype(float)
        vote = Votes(fused, fusion.confidence[index], fusion.score[index]).present()
        votes["fusion"] = vote
        absence_reasons["fusion"] = np.where(np.isnan(vote.score), missing, "").astype(object)
    regime = compute_regime(candles, settings.regime)
    improvements = signal_improvements(
        pair, candles, technical.indicators, regime, index, direction, settings
    )
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
        absence_reasons=absence_reasons,
        improvements=improvements,
    )


def _fusion(
    candles: Candles, views: Mapping[str, tuple[Candles, Technical]], settings: Settings
) -> tuple[Fusion, str]:
    """The indicators' fusion, and why it is absent where it is not finite; one that raises is absent everywhere."""
    try:
        fusion = fuse(candles, views, settings.fusion)
    except Exception as error:
        logger.exception("The fusion failed and is absent")
        return Fusion.absent(len(candles)), f"raised {type(error).__name__}"
    missing = [name for name, (frame, _) in views.items() if not len(frame)]
    return fusion, f"no {' and '.join(missing)} candles" if missing else "not finite"
