"""One pair's candles analysed: all that its decisions and trades are made from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from coordinator.decision.decisions import AGAINST_MARKET, AVOIDED_STATE, REARMED_SHADOW
from coordinator.decision.voting import Votes
from coordinator.run.improvements import REGIME_AVOID, REGIME_GATE, Improvement, signal_improvements
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.clock import clock_candles, series_name
from coordinator.signals.fusion import Fusion, fuse, timeframe_views
from coordinator.signals.regime import Regime, compute_regime, is_avoided
from coordinator.signals.regime_gate import market_direction
from coordinator.signals.technical import Technical, compute_technical
from coordinator.trade.virtual_trades import planned_distances
from coordinator.types import Bools, Floats, Ints

__all__ = ["PairAnalysis", "analyse", "analyse_clocks", "analyse_signals"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairAnalysis:
    """Arrays of shape (n_candles,) unless stated.

    Attributes
    ----------
    pair, clock, series : whose it is, the clock it was read on, and the name of both together
    index : int, shape (n_signals,), the candles with a signal
    direction : int, shape (n_signals,)
    stop_distance, target_distance : float, shape (n_signals,), ratios of the entry price
    barred : int, shape (n_signals,), why a signal cannot be taken whatever is decided (``SignalTable``)
    votes : mapping of component to its votes on the signals
    absence_reasons : mapping of component to why it does not vote, texts of shape (n_signals,), empty where it does
    improvements : mapping of an improvement that is not off to its numbers without a limit, not in ``target_distance``
    trained : mapping of component to the signals on which a trained model spoke, bool of shape (n_signals,); the
        indicators' fusion and the selector's choice of a tactic are none
    """

    pair: str
    clock: str
    series: str
    candles: Candles
    technical: Technical
    fusion: Fusion
    regime: Regime
    index: Ints
    direction: Ints
    stop_distance: Floats
    target_distance: Floats
    barred: Ints
    votes: Mapping[str, Votes]
    absence_reasons: Mapping[str, npt.NDArray[np.object_]]
    improvements: Mapping[str, Improvement] = field(default_factory=dict)
    trained: Mapping[str, Bools] = field(default_factory=dict)


def analyse_clocks(
    pair: str,
    candles: Candles,
    higher: Mapping[str, Candles],
    settings: Settings,
    ml: bool,
    market: Mapping[str, Candles] | None = None,
) -> list[PairAnalysis]:
    """A pair on each clock that is read, the slowest first; parameters as ``analyse`` takes them.

    Where several clocks have a signal at the same candle, the slowest one's stands: a pair has one signal at a candle.
    """
    taken, out = np.zeros(len(candles), dtype=bool), []
    for clock in settings.clock_names:
        own = settings.on_clock(clock)
        read = clock_candles(clock, candles, higher)
        technical = compute_technical(candles, own.baseline, read).without_signals(taken)
        analysis = analyse_signals(pair, candles, technical, higher, own, ml, market)
        out.append(replace(analysis, series=series_name(pair, clock, settings.clock_names[0])))
        taken = taken | (technical.signal != 0)
    return out


def analyse(
    pair: str,
    candles: Candles,
    higher: Mapping[str, Candles],
    settings: Settings,
    ml: bool,
    market: Mapping[str, Candles] | None = None,
) -> PairAnalysis:
    """Baseline, fusion, stops and targets of a pair on one clock.

    Parameters
    ----------
    higher : mapping of "4h" and "1d" to the same pair's candles; may be empty ones
    ml : bool
        Whether ML components vote; without them only the technical vote is recorded.
    market : mapping of timeframe to the candles of the regime gate's reference pair
        Needed where ``regime.gate`` is not off.
    """
    read = clock_candles(settings.baseline.clock, candles, higher)
    technical = compute_technical(candles, settings.baseline, read)
    return analyse_signals(pair, candles, technical, higher, settings, ml, market)


def analyse_signals(
    pair: str,
    candles: Candles,
    technical: Technical,
    higher: Mapping[str, Candles],
    settings: Settings,
    ml: bool,
    market: Mapping[str, Candles] | None = None,
) -> PairAnalysis:
    """The same from a baseline that is known already (or from another one's signals)."""
    read = clock_candles(settings.baseline.clock, candles, higher)
    fusion, missing = _fusion(candles, technical, higher, settings)
    index = np.flatnonzero(technical.signal)
    direction = technical.signal[index]
    stop, target = planned_distances(candles, technical.signal, settings, read)
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
    gate = _regime_gate(candles, market or {}, index, direction, settings)
    if gate is not None:
        improvements[REGIME_GATE] = gate
    avoid = _avoided(regime, index, settings)
    if avoid is not None:
        improvements[REGIME_AVOID] = avoid
    return PairAnalysis(
        pair=pair,
        clock=settings.baseline.clock,
        series=pair,
        candles=candles,
        technical=technical,
        fusion=fusion,
        regime=regime,
        index=index,
        direction=direction,
        stop_distance=stop[index],
        target_distance=target[index],
        barred=_barred(technical, index, gate, avoid, settings),
        votes=votes,
        absence_reasons=absence_reasons,
        improvements=improvements,
    )


def _regime_gate(
    candles: Candles, market: Mapping[str, Candles], index: Ints, direction: Ints, settings: Settings
) -> Improvement | None:
    """1 without the gate, and 1 or 0 with it, for each signal; None where the gate is off."""
    s = settings.regime
    if s.gate == "off":
        return None
    base = market.get("1h", candles.rows(slice(0, 0)))
    read = clock_candles(settings.baseline.clock, base, market)
    points = market_direction(candles, base, read, s.gate_average)[index]
    return Improvement(s.gate, np.ones(len(index)), (points == direction).astype(float))


def _avoided(regime: Regime, index: Ints, settings: Settings) -> Improvement | None:
    """1 without ``regime.avoid``, and 1 or 0 with it, for each signal; None where nothing is avoided."""
    s = settings.regime
    if s.avoid_mode == "off" or not s.avoid:
        return None
    return Improvement(s.avoid_mode, np.ones(len(index)), (~is_avoided(regime, s.avoid)[index]).astype(float))


def _barred(
    technical: Technical,
    index: Ints,
    gate: Improvement | None,
    avoid: Improvement | None,
    settings: Settings,
) -> Ints:
    no = np.zeros(len(index), dtype=bool)
    against, avoided = (no if one is None else one.effective == 0 for one in (gate, avoid))
    shadow = technical.rearmed[index] & (settings.baseline.rearm == "shadow")
    codes = [AGAINST_MARKET, AVOIDED_STATE, REARMED_SHADOW]
    return np.select([against, avoided, shadow], codes, 0).astype(np.int64)


def _fusion(
    candles: Candles, technical: Technical, higher: Mapping[str, Candles], settings: Settings
) -> tuple[Fusion, str]:
    """The indicators' fusion, and why it is absent where it is not finite; one that raises is absent everywhere."""
    try:
        views = timeframe_views(candles, technical, higher, settings.baseline)
        fusion = fuse(candles, views, settings.fusion)
    except Exception as error:
        logger.exception("The fusion failed and is absent")
        return Fusion.absent(len(candles)), f"raised {type(error).__name__}"
    missing = [name for name, frame in higher.items() if not len(frame)]
    return fusion, f"no {' and '.join(missing)} candles" if missing else "not finite"
