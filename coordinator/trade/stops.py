"""Initial stop below support or above resistance, and the trailing stop by profit tier."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import talib

from coordinator.settings.trade import StopSettings
from coordinator.signals.breaks import find_breaks
from coordinator.signals.candles import Candles
from coordinator.signals.clock import Clock
from coordinator.types import Floats, Ints

__all__ = ["initial_stop_distance", "stop_rate", "trailing_distance"]


def initial_stop_distance(
    candles: Candles, direction: Ints, settings: StopSettings, clock_candles: Candles | None = None
) -> Floats:
    """Distance of the initial stop from the close, ratio of the price, shape (n,).

    The candles after a break of the history (``signals.breaks``) are read alone.

    Long: ATRs below the lowest low of the last candles (basis "support") or below the close ("price"); short: ATRs
    above the highest high or the close; kept between ``minimum`` and ``hard_limit``. Where history is short
    or there is no direction it is the hard limit.

    Parameters
    ----------
    clock_candles : what ATR, support and resistance are taken from; None means ``candles``
    """
    parts = []
    for part in find_breaks(candles).parts:
        own = candles.rows(part)
        began = int(own.time[0]) if part.start else None
        read = None if clock_candles is None else clock_candles.since(began)
        parts.append(_stop_distance(own, direction[part], settings, read))
    return np.concatenate(parts)


def _stop_distance(
    candles: Candles, direction: Ints, s: StopSettings, clock_candles: Candles | None
) -> Floats:
    clock = Clock.of(candles, clock_candles)
    read = clock.candles
    if len(read) < 2:
        return np.full(len(candles), s.hard_limit)
    atr = clock.at_close(talib.ATR(read.high, read.low, read.close, s.atr_period))
    if s.basis == "price":
        below = above = s.atr_multiple * atr
    else:
        support, resistance = (
            clock.at_close(part)
            for part in (talib.MIN(read.low, s.support_period), talib.MAX(read.high, s.support_period))
        )
        below = candles.close - (support - s.atr_multiple * atr)
        above = (resistance + s.atr_multiple * atr) - candles.close
    distance = np.where(direction > 0, below, np.where(direction < 0, above, np.nan)) / candles.close
    return np.clip(np.nan_to_num(distance, nan=s.hard_limit), s.minimum, s.hard_limit)


def trailing_distance(best_profit: float, settings: StopSettings, multiplier: float = 1.0) -> float | None:
    """How far the stop trails behind the best price: 3, 2.5, 2 and 1.5 % by profit tier (spec 004).

    Parameters
    ----------
    best_profit : float
        Best price move in the trade's favour, ratio, before costs and leverage.
    multiplier : float
        Of the distance, by volatility (``trade.market``); 1 unless trailing is set to follow it.

    Returns
    -------
    float or None
        None below ``trailing_start``, or without one: the stop does not trail (yet).

    Examples
    --------
    >>> [trailing_distance(p, StopSettings()) for p in (0.005, 0.015, 0.03, 0.05, 0.07)]
    [None, 0.03, 0.025, 0.02, 0.015]
    """
    if settings.trailing_start is None or best_profit <= settings.trailing_start:
        return None
    return multiplier * settings.trailing_distances[bisect_right(settings.trailing_profits, best_profit)]


def stop_rate(
    anchor: float,
    open_rate: float,
    best_rate: float,
    direction: int,
    stop_distance: float,
    settings: StopSettings,
    multiplier: float = 1.0,
) -> float:
    """The stop's price: the initial one, or the trailing one where that is nearer the price.

    Parameters
    ----------
    anchor : float
        Price of the first fill; the initial stop stays where it was planned when tranches average the price.
    open_rate : float
        Average entry price, from which profit counts.
    best_rate : float
        Most favourable price of this candle (live: the current price).
    direction : int
        +1 long, -1 short.
    stop_distance : float
        Initial distance, ratio of the anchor.
    multiplier : float
        Of the trailing distance.

    Examples
    --------
    >>> trailing = StopSettings(trailing_start=0.01)
    >>> [round(stop_rate(100.0, 100.0, best, 1, 0.05, trailing), 2) for best in (100.5, 103.0, 108.0)]
    [95.0, 100.42, 106.38]
    """
    initial = anchor * (1 - direction * stop_distance)
    trail = trailing_distance(direction * (best_rate / open_rate - 1), settings, multiplier)
    if trail is None:
        return initial
    trailing = best_rate * (1 - direction * trail)
    return max(initial, trailing) if direction > 0 else min(initial, trailing)
