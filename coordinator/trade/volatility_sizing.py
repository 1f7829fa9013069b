"""Position size by volatility: smaller in wild markets, somewhat larger in calm ones (spec 003 section 4)."""

from __future__ import annotations

import numpy as np

from coordinator.settings.improvements import VolatilitySizingSettings
from coordinator.settings.signals import RegimeSettings
from coordinator.types import Floats

__all__ = ["size_multiplier"]


def size_multiplier(
    volatility: Floats, atr_percentile: Floats, regime: RegimeSettings, settings: VolatilitySizingSettings
) -> Floats:
    """Multiplier of the planned size, shape (n,), at most 1.5; 1 where volatility is unknown.

    Low 1.2, normal 1, high .7, extreme .5; times .8 where the ATR's percentile is above 80, times 1.2 below 20; kept
    in ``range`` around 1. What it does to the risk is in ``trade.sizing.plan_stake``.

    Parameters
    ----------
    volatility : daily realised volatility, ratio (``signals.regime.daily_volatility``)
    atr_percentile : 0..1; NaN tunes nothing
    regime : where low ends and high begins; from ``settings.extreme_volatility`` on it is extreme

    Examples
    --------
    >>> volatility, rank = np.array([0.02, 0.04, 0.07, 0.2, np.nan]), np.array([0.5, 0.1, 0.9, 0.5, 0.9])
    >>> size_multiplier(volatility, rank, RegimeSettings(), VolatilitySizingSettings())
    array([1.2 , 1.2 , 0.56, 0.5 , 1.  ])
    """
    s = settings
    by_level = np.select(
        [
            volatility >= s.extreme_volatility,
            volatility >= regime.volatility_high,
            volatility < regime.volatility_low,
        ],
        [s.extreme, s.high, s.low],
        s.normal,
    )
    by_rank = np.ones(len(volatility))
    if s.use_atr_scaling:
        choices = [s.atr_high_multiplier, s.atr_low_multiplier]
        by_rank = np.select([atr_percentile > s.atr_high, atr_percentile < s.atr_low], choices, 1.0)
    multiplier = np.minimum(by_level * by_rank, s.max_increase)
    if s.range is not None:
        multiplier = np.clip(multiplier, 1.0 - s.range, 1.0 + s.range)
    return np.where(np.isnan(volatility), 1.0, multiplier)
