"""The plans of a pair's accepted signals: tranches, stop, target and risk from the decision's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from coordinator.decision.decisions import Decisions
from coordinator.run.improvements import DYNAMIC_REWARD_RISK, VOLATILITY_SIZING, Improvement
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.series import safe_divide
from coordinator.trade.entries import AT_ONCE, entry_plan
from coordinator.trade.kelly import kelly_risk
from coordinator.trade.plan import Plan
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.virtual_trades import planned_distances
from coordinator.types import Floats

__all__ = ["entry_plans", "make_plan", "plan_by_hand", "unplanned"]


def entry_plans(
    analysis: PairAnalysis,
    decided: Decisions,
    improvements: Mapping[str, Improvement],
    settings: Settings,
    risk_share: float = 1.0,
) -> dict[int, Plan]:
    """Open time of each accepted signal's candle to its plan.

    Parameters
    ----------
    settings : on the analysis' clock
    decided, improvements : on the series' own signals, in their order
    risk_share : of the risk per trade, the clock's
    """
    price, s = analysis.candles.close[analysis.index], settings
    reward_risk, size = improvements.get(DYNAMIC_REWARD_RISK), improvements.get(VOLATILITY_SIZING)
    target = analysis.target_distance
    if reward_risk is not None and reward_risk.mode == "on":
        target = target_distance(
            analysis.stop_distance, analysis.direction, s.targets, s.costs, reward_risk.effective
        )
    columns = (
        analysis.candles.time[analysis.index],
        analysis.direction,
        decided.confidence,
        analysis.stop_distance,
        target,
        price,
        (1.0 if size is None else size.effective) * risk_share * _earned(decided, s),
        kelly_risk(decided.win_probability, decided.expected_r, s.targets.reward_risk, s.sizing),
        safe_divide(analysis.technical.indicators.atr[analysis.index], price, np.nan),
    )
    accepted = decided.accepted
    rows = zip(*(column[accepted].tolist() for column in columns), strict=True)
    return {
        time: replace(make_plan(settings, *numbers), time=time, clock=analysis.clock)
        for time, *numbers in rows
    }


def _earned(decided: Decisions, settings: Settings) -> Floats:
    """Share of the risk that is earned at each signal, where that is acted on."""
    share = decided.risk_share
    return (
        np.where(np.isfinite(share), share, 1.0)
        if settings.sizing.earned.mode == "on"
        else np.ones(len(share))
    )


def make_plan(
    settings: Settings,
    direction: int,
    confidence: float,
    stop: float,
    target: float,
    price: float = 0.0,
    size: float = 1.0,
    kelly: float = math.nan,
    atr: float = math.nan,
) -> Plan:
    """A plan from a decision's numbers; NaN where Kelly or the ATR are unknown."""
    entries = entry_plan(confidence, stop, settings.dca, atr)
    bound = None if math.isnan(kelly) else kelly
    return Plan(direction, confidence, stop, target, entries, price=price, size=size, kelly=bound)


def plan_by_hand(
    candles: Candles, clock_candles: Candles | None, direction: int, time: int, settings: Settings
) -> Plan | None:
    """For a forced entry: one tranche, with stop and target as a signal at a candle would have had them.

    Parameters
    ----------
    clock_candles : of the clock; None means ``candles``
    time : open time of the last closed candle; where it has not come yet the one before it is read, and where that
        has not either None is returned
    settings : on the clock
    """
    if not len(candles) or candles.time[-1] + candles.seconds < time:
        return None
    row = int(candles.time.searchsorted(time, side="right")) - 1
    if row < 0:
        return unplanned(direction, settings)
    towards = np.full(len(candles), direction, dtype=np.int64)
    stop, target = planned_distances(candles, towards, settings, clock_candles)
    return Plan(direction, 0.0, float(stop[row]), float(target[row]), AT_ONCE, clock=settings.baseline.clock)


def unplanned(direction: int, settings: Settings) -> Plan:
    """For a trade of an unknown market: one tranche, widest stop, base reward:risk."""
    stop = settings.stops.hard_limit
    return Plan(
        direction=direction,
        confidence=0.0,
        stop_distance=stop,
        target_distance=stop * settings.targets.reward_risk,
        entries=AT_ONCE,
    )
