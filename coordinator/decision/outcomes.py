"""What becomes of a signal: a virtual trade with its stop, target and horizon, after costs, in R.

The triple barrier of Lopez de Prado (Advances in Financial Machine Learning, 2018, chapter 3) on highs and lows:
entry at the next candle's open; the first barrier touched decides; where one candle touches both, the stop does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.settings.trade import CostSettings
from coordinator.signals.candles import Candles
from coordinator.types import Floats, Ints

__all__ = ["EXITS", "Outcomes", "resolve_outcomes"]

EXITS = ("", "target", "stop", "horizon")
CHUNK = 8192  # signals whose futures are held in memory at once


@dataclass(frozen=True)
class Outcomes:
    """Arrays of shape (n_signals,).

    Attributes
    ----------
    r : float
        Profit in units of the initial risk, costs included; NaN while unresolved.
    exit : int
        Index into ``EXITS``; 0 while unresolved.
    resolved : int
        Index of the candle at whose close the outcome is known; -1 while unresolved.
    """

    r: Floats
    exit: Ints
    resolved: Ints


def resolve_outcomes(
    candles: Candles,
    index: Ints,
    direction: Ints,
    stop_distance: Floats,
    target_distance: Floats,
    horizon: int,
    costs: CostSettings,
) -> Outcomes:
    """Resolve the virtual trades of one pair's signals.

    Parameters
    ----------
    index : ndarray of int, shape (n,)
        Candles at which the signals stand.
    direction : ndarray of int, shape (n,)
        +1 or -1.
    stop_distance, target_distance : ndarray of float, shape (n,)
        Distances from the entry, ratios of its price, > 0.
    horizon : int
        Candles after which an undecided trade is closed at the close.

    Notes
    -----
    A candle that opens beyond the stop fills at its open, worse than the stop; one that opens beyond the target
    fills at the target, as a resting order at the exchange may have filled no better.
    """
    n, r = len(index), np.full(len(index), np.nan)
    exit_kind, resolved = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    for start in range(0, n, CHUNK):
        rows = slice(start, start + CHUNK)
        part = _resolve(
            candles, index[rows], direction[rows], stop_distance[rows], target_distance[rows], horizon, costs
        )
        r[rows], exit_kind[rows], resolved[rows] = part.r, part.exit, part.resolved
    return Outcomes(r, exit_kind, resolved)


def _resolve(
    candles: Candles, index: Ints, d: Ints, stop: Floats, target: Floats, horizon: int, costs: CostSettings
) -> Outcomes:
    last = len(candles) - 1
    future = index[:, None] + np.arange(1, horizon + 1)
    exists = future <= last
    future = np.minimum(future, last)
    entry = candles.open[np.minimum(index + 1, last)][:, None]
    # In the trade's direction: how far the candle went for it (best) and against it (worst), as ratios.
    high, low = candles.high[future] / entry - 1, candles.low[future] / entry - 1
    long = d[:, None] > 0
    best, worst = np.where(long, high, -low), np.where(long, low, -high)
    opened = d[:, None] * (candles.open[future] / entry - 1)
    closed = d[:, None] * (candles.close[future] / entry - 1)
    stopped = exists & (worst <= -stop[:, None])
    reached = exists & (best >= target[:, None])
    first_stop, first_target = _first(stopped), _first(reached)
    by_stop = first_stop <= np.where(first_target < horizon, first_target, horizon - 1)
    by_stop &= first_stop < horizon
    by_target = ~by_stop & (first_target < horizon)
    by_horizon = ~by_stop & ~by_target & exists[:, -1]
    step = np.where(by_stop, first_stop, np.where(by_target, first_target, horizon - 1))
    row = np.arange(len(index))
    gross = np.where(
        by_stop,
        np.minimum(-stop, opened[row, step]),
        np.where(by_target, target, closed[row, step]),
    )
    known = by_stop | by_target | by_horizon
    round_trip = (costs.fee + costs.slippage) * (2.0 + d * gross)
    return Outcomes(
        r=np.where(known, (gross - round_trip) / stop, np.nan),
        exit=np.where(by_target, 1, np.where(by_stop, 2, np.where(by_horizon, 3, 0))).astype(np.int64),
        resolved=np.where(known, index + 1 + step, -1).astype(np.int64),
    )


def _first(touched: np.ndarray) -> Ints:
    """Column of the first True of each row; the number of columns where there is none."""
    first: Ints = np.where(touched.any(axis=1), touched.argmax(axis=1), touched.shape[1]).astype(np.int64)
    return first
