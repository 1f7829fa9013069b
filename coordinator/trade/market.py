"""What a position's exits look at, candle by candle: prices and the baseline, never ML."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from coordinator.settings.exits import ExitsSettings
from coordinator.signals.candles import Candles
from coordinator.signals.series import lag
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["MarketPath", "market_path", "target_factor", "trailing_factor", "volatility_multiplier"]


@dataclass(frozen=True)
class MarketPath:
    """Arrays of shape (n_candles,), read one candle at a time by the callbacks.

    Attributes
    ----------
    time : open times, seconds since the epoch, ascending
    close : price
    multiplier : of the profit targets, by volatility; 1 where volatility is unknown
    momentum : change of the price over the momentum period, ratio; 0 where unknown
    volume_ratio : volume over its average; 1 where unknown
    last_long, last_short : time of the last candle up to this one at which the baseline pointed there; 0 for none
    warning : direction to which the lower timeframes have turned before 1d (``signals.fusion``), or 0
    long_factor, short_factor : of a target's distance, where targets follow the market; None where they do not
    """

    time: Times
    close: Floats
    multiplier: Floats
    momentum: Floats
    volume_ratio: Floats
    last_long: Times
    last_short: Times
    warning: Ints
    long_factor: Floats | None
    short_factor: Floats | None
    seconds: int

    def at(self, time: int) -> int:
        """Row of the candle that opened at ``time``, or of the last one before it; -1 where there is none."""
        n = len(self.time)
        if not n:
            return -1
        row = (time - self.time.item(0)) // self.seconds
        if 0 <= row < n and self.time.item(row) == time:
            return row
        return bisect_right(self.time, time) - 1


def volatility_multiplier(volatility: Floats, settings: ExitsSettings) -> Floats:
    """1 + (volatility - .03) x 5, kept in .5..2, shape (n,); 1 where volatility is NaN (DESIGN.md 4.7).

    Parameters
    ----------
    volatility : daily realised volatility, ratio

    Examples
    --------
    >>> volatility_multiplier(np.array([0.02, 0.03, 0.08, 0.5, np.nan]), ExitsSettings())
    array([0.95, 1.  , 1.25, 2.  , 1.  ])
    """
    s = settings
    raw = 1.0 + (volatility - s.volatility_center) * s.volatility_slope
    kept: Floats = np.clip(np.nan_to_num(raw, nan=1.0), s.multiplier_minimum, s.multiplier_maximum)
    return kept


def target_factor(
    direction: int, momentum: Floats, adx: Floats, plus_di: Floats, minus_di: Floats, settings: ExitsSettings
) -> Floats:
    """Factor of a target's distance by momentum and trend strength, 1 - weight .. 1 + weight, shape (n,).

    The mean of two scores in -1..1: momentum over ``full_momentum`` and ADX over ``full_adx`` with the sign of the
    directional indicators, both positive where they run the trade's way; 1 where unknown.

    Examples
    --------
    >>> up, strong = np.array([0.03, 0.03]), np.array([50.0, np.nan])
    >>> target_factor(1, up, strong, np.array([30.0, 30.0]), np.array([10.0, 10.0]), ExitsSettings())
    array([1.25 , 1.125])
    """
    s = settings.target_following
    moving = np.clip(np.nan_to_num(momentum, nan=0.0) / s.full_momentum, -1.0, 1.0)
    trend = np.sign(plus_di - minus_di) * np.clip(adx / s.full_adx, 0.0, 1.0)
    factor: Floats = 1.0 + s.weight * 0.5 * direction * (moving + np.nan_to_num(trend, nan=0.0))
    return factor


def trailing_factor(direction: int, momentum: float, settings: ExitsSettings) -> float:
    """Factor of the trailing distance by momentum, 1 - weight .. 1 + weight: wider while it runs the trade's way.

    Weight and full momentum are those of ``target_following``.

    Examples
    --------
    >>> [trailing_factor(1, momentum, ExitsSettings()) for momentum in (0.03, 0.0, -0.015)]
    [1.25, 1.0, 0.875]
    """
    s = settings.target_following
    return 1.0 + s.weight * direction * max(-1.0, min(1.0, momentum / s.full_momentum))


def market_path(
    candles: Candles,
    volatility: Floats,
    volume_ratio: Floats,
    trend: tuple[Floats, Floats, Floats],
    direction: Ints,
    warning: Ints,
    settings: ExitsSettings,
) -> MarketPath:
    """From a pair's candles and what the baseline made of them; O(n), causal row by row.

    Parameters
    ----------
    volatility : daily realised volatility, ratio
    volume_ratio : volume over its average
    trend : ADX, plus DI, minus DI
    direction : the baseline's, +1, 0 or -1
    warning : the fusion's
    """
    s = settings
    with np.errstate(invalid="ignore", divide="ignore"):
        momentum = candles.close / lag(candles.close, s.momentum_reversal.period) - 1.0
    following = s.target_following.mode == "on"
    factors = [target_factor(side, momentum, *trend, s) if following else None for side in (1, -1)]
    return MarketPath(
        time=candles.time,
        close=candles.close,
        multiplier=volatility_multiplier(volatility, s),
        momentum=np.nan_to_num(momentum, nan=0.0),
        volume_ratio=np.nan_to_num(volume_ratio, nan=1.0),
        last_long=_last(candles.time, direction > 0),
        last_short=_last(candles.time, direction < 0),
        warning=warning,
        long_factor=factors[0],
        short_factor=factors[1],
        seconds=candles.seconds,
    )


def _last(time: Times, condition: Bools) -> Times:
    """Time of the last candle up to each at which the condition held; 0 before the first."""
    last: Times = np.maximum.accumulate(np.where(condition, time, 0)) if len(time) else time
    return last
