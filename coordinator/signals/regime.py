"""Market regime and volatility level: the selector's 15 states (spec 004, DESIGN.md 4.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import talib

from coordinator.settings.signals import MARKET_REGIMES, VOLATILITY_LEVELS, RegimeSettings
from coordinator.signals.breaks import by_history
from coordinator.signals.candles import Candles
from coordinator.signals.series import rolling_percentile, rolling_std, safe_divide
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints

__all__ = [
    "LEVELS",
    "REGIMES",
    "STATES",
    "Regime",
    "atr_percentile",
    "compute_regime",
    "daily_volatility",
    "is_avoided",
]

REGIMES, LEVELS = MARKET_REGIMES, VOLATILITY_LEVELS
STATES = tuple(f"{regime}_{level}" for regime in REGIMES for level in LEVELS)
ATR_WINDOW = 100


@dataclass(frozen=True)
class Regime:
    """Arrays of shape (n,).

    Attributes
    ----------
    volatility : float, daily realised volatility (ratio), NaN until a day of returns is there
    regime : int, index into ``REGIMES``; neutral while history is short
    level : int, index into ``LEVELS``; medium while volatility is NaN
    """

    volatility: Floats
    regime: Ints
    level: Ints

    @property
    def state(self) -> Ints:
        """Index into ``STATES``."""
        return self.regime * len(LEVELS) + self.level


def daily_volatility(candles: Candles, days: int = 1) -> Floats:
    """Standard deviation of log returns over the last ``days``, scaled to one day."""
    per_day = max(2, SECONDS_PER_DAY // candles.seconds)
    returns = np.concatenate(([np.nan], np.diff(np.log(candles.close))))
    daily: Floats = rolling_std(returns, per_day * days) * np.sqrt(per_day)
    return daily


def atr_percentile(candles: Candles, atr: Floats) -> Floats:
    """Rank of the ATR over the price among the last 100 candles, 0..1, shape (n,); NaN until they are there."""
    return rolling_percentile(safe_divide(atr, candles.close), ATR_WINDOW)


def is_avoided(regime: Regime, names: Sequence[str]) -> Bools:
    """Whether each candle is in one of the named states: a regime, a level, or both; shape (n,).

    Examples
    --------
    >>> two = Regime(np.array([0.1, 0.1]), np.array([1, 0]), np.array([2, 2]))  # bear_high, bull_high
    >>> is_avoided(two, ["bear"]), is_avoided(two, ["bull_high", "low"]), is_avoided(two, ["high"])
    (array([ True, False]), array([False,  True]), array([ True,  True]))
    """
    named = [np.array([name in names for name in states]) for states in (REGIMES, LEVELS, STATES)]
    whole: Bools = named[0][regime.regime] | named[1][regime.level] | named[2][regime.state]
    return whole


def compute_regime(candles: Candles, settings: RegimeSettings) -> Regime:
    """Bull or bear by trend MA, its slope and ADX; else high_vol or low_vol by 1-day over 7-day volatility.

    The candles after a break (``signals.breaks``) are a history of their own.
    """
    return by_history(candles, lambda own, _: _compute(own, settings))


def _compute(candles: Candles, s: RegimeSettings) -> Regime:
    volatility = daily_volatility(candles)
    average = talib.SMA(candles.close, s.trend_period)
    slope = np.concatenate(([np.nan], np.diff(average)))
    trending = talib.ADX(candles.high, candles.low, candles.close, 14) >= s.adx_trend
    with np.errstate(invalid="ignore"):
        surge = safe_divide(volatility, daily_volatility(candles, days=7), 1.0)
        conditions = [
            trending & (candles.close > average) & (slope > 0),
            trending & (candles.close < average) & (slope < 0),
            surge >= s.surge_ratio,
            surge <= 1.0 / s.surge_ratio,
        ]
        choices = [REGIMES.index(name) for name in ("bull", "bear", "high_vol", "low_vol")]
        regime = np.select(conditions, choices, default=REGIMES.index("neutral")).astype(np.int64)
        level = np.select(
            [np.isnan(volatility), volatility < s.volatility_low, volatility < s.volatility_high],
            [1, 0, 1],
            2,
        ).astype(np.int64)
    return Regime(volatility, regime, level)
