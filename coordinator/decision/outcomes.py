"""What becomes of a signal: a virtual trade with its stop, target, exits and horizon, after costs, in R.

The triple barrier of Lopez de Prado (Advances in Financial Machine Learning, 2018, chapter 3) on highs and lows, with
the account's own exits as a fourth: entry at the next candle's open; the first barrier touched decides; where one
candle touches several, the stop does before the target, and both before an exit at its close.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.settings.trade import CostSettings
from coordinator.signals.candles import Candles
from coordinator.types import Bools, Floats, Ints

__all__ = ["EXITS", "Outcomes", "resolve_outcomes"]

EXITS = ("", "target", "stop", "horizon", "exit")
CHUNK = 2**19  # candles of the signals' futures that are held in memory at once


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
    leaves: tuple[Bools, Bools] | None = None,
) -> Outcomes:
    """Resolve the virtual trades of one pair's signals.

    Parameters
    ----------
    index : ndarray of int, shape (n,)
        Candles at which the signals stand.
    direction : ndarray of int, shape (n,)
        +1 or -1.
    stop_distance, target_distance : ndarray of float, shape (n,)
        Distances from the entry, ratios of its price, > 0; a target may be infinite: there is none.
    horizon : int
        Candles after which an undecided trade is closed at the close.
    leaves : two ndarrays of bool, shape (n_candles,)
        Candles at whose close a long, and a short, is left; None where nothing but the barriers ends a trade.

    Notes
    -----
    A candle that opens beyond the stop fills at its open, worse than the stop; one that opens beyond the target
    fills at the target, as a resting order at the exchange may have filled no better.

    Examples
    --------
    >>> t, price = np.arange(4) * 3600, np.array([100.0, 100.0, 104.0, 108.0])
    >>> rising = Candles(t, price, price, price, price, price, 3600)
    >>> stop, target = np.array([0.02, 0.02]), np.array([0.03, 0.5])
    >>> both, side = np.array([0, 0]), np.array([1, -1])
    >>> out = resolve_outcomes(rising, both, side, stop, target, 3, CostSettings(fee=0.0, slippage=0.0))
    >>> out.r.round(2), [EXITS[code] for code in out.exit], out.resolved
    (array([ 1.5, -2. ]), ['target', 'stop'], array([2, 2]))
    """
    n, r = len(index), np.full(len(index), np.nan)
    exit_kind, resolved = np.zeros(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    exits = None if leaves is None else np.vstack(leaves)
    chunk = max(1, CHUNK // horizon)
    for start in range(0, n, chunk):
        rows = slice(start, start + chunk)
        trades = index[rows], direction[rows], stop_distance[rows], target_distance[rows]
        part = _resolve(candles, *trades, horizon, costs, exits)
        r[rows], exit_kind[rows], resolved[rows] = part.r, part.exit, part.resolved
    return Outcomes(r, exit_kind, resolved)


def _resolve(
    candles: Candles,
    index: Ints,
    d: Ints,
    stop: Floats,
    target: Floats,
    horizon: int,
    costs: CostSettings,
    exits: Bools | None,
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
    stopped = exists & (worst <= -stop[:, None])
    reached = exists & (best >= target[:, None])
    first_stop, first_target = _first(stopped), _first(reached)
    first_exit = np.full(len(index), horizon)
    if exits is not None:
        first_exit = _first(exists & exits[np.where(long, 0, 1), future])
    # An exit at the last candle and the horizon are the same close.
    by_stop = (first_stop < horizon) & (first_stop <= np.minimum(first_target, first_exit))
    by_target = ~by_stop & (first_target < horizon) & (first_target <= first_exit)
    by_exit = ~by_stop & ~by_target & (first_exit < horizon)
    by_horizon = ~by_stop & ~by_target & ~by_exit & exists[:, -1]
    kinds = [by_target, by_stop, by_horizon, by_exit]
    step = np.select([by_stop, by_target, by_exit], [first_stop, first_target, first_exit], horizon - 1)
    at = future[np.arange(len(index)), step]
    opened, closed = (d * (prices[at] / entry[:, 0] - 1) for prices in (candles.open, candles.close))
    gross = np.where(by_stop, np.minimum(-stop, opened), np.where(by_target, target, closed))
    known = np.any(kinds, axis=0)
    with np.errstate(invalid="ignore"):
        round_trip = (costs.fee + costs.slippage) * (2.0 + d * gross)
        r = (gross - round_trip) / stop
    return Outcomes(
        r=np.where(known, r, np.nan),
        exit=np.select(kinds, [1, 2, 3, 4], 0).astype(np.int64),
        resolved=np.where(known, index + 1 + step, -1).astype(np.int64),
    )


def _first(touched: Bools) -> Ints:
    """Column of the first True of each row; the number of columns where there is none."""
    first: Ints = np.where(touched.any(axis=1), touched.argmax(axis=1), touched.shape[1]).astype(np.int64)
    return first
