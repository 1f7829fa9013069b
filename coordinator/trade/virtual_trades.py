"""The virtual trade of every signal: one place for its stop, its target and what becomes of it.

The account's trade leaves by the same rules, so what is learned from virtual trades is true of real ones.
"""

from __future__ import annotations

import numpy as np

from coordinator.decision.outcomes import Outcomes, resolve_outcomes
from coordinator.settings import Settings
from coordinator.signals.breaks import find_breaks
from coordinator.signals.candles import Candles
from coordinator.signals.technical import Technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.signal_exits import signal_exits
from coordinator.trade.stops import initial_stop_distance
from coordinator.types import Floats, Ints

__all__ = ["planned_distances", "virtual_outcomes"]


def planned_distances(
    candles: Candles, direction: Ints, settings: Settings, clock_candles: Candles | None = None
) -> tuple[Floats, Floats]:
    """Stop and target distance of a trade begun at each candle, ratios of the price, shape (n_candles,) each.

    Parameters
    ----------
    direction : shape (n_candles,), where it would go; where it is 0 the distances do not matter
    """
    stop = initial_stop_distance(candles, direction, settings.stops, clock_candles)
    return stop, target_distance(stop, direction, settings.targets, settings.costs)


def virtual_outcomes(
    candles: Candles,
    technical: Technical,
    index: Ints,
    direction: Ints,
    stop: Floats,
    target: Floats,
    settings: Settings,
) -> Outcomes:
    """What became of trades begun after the candles ``index``: stop, target, exits of the baseline, time limit.

    A trade that is open at a break of the history (``signals.breaks``) stays unresolved: what followed is no price of
    what was bought.

    Parameters
    ----------
    technical : of every candle
    index, direction, stop, target : shape (n,)
    """
    exits = signal_exits(candles, technical, settings)
    horizon = settings.time_limit // candles.seconds
    leaves = (exits.long, exits.short)
    found = resolve_outcomes(candles, index, direction, stop, target, horizon, settings.costs, leaves)
    marks = np.flatnonzero(find_breaks(candles).marks)
    if not len(marks):
        return found
    following = np.append(marks, len(candles))[np.searchsorted(marks, index, side="right")]
    void = found.resolved >= following
    return Outcomes(
        np.where(void, np.nan, found.r), np.where(void, 0, found.exit), np.where(void, -1, found.resolved)
    )
