"""Reward:risk by market condition: volatility, trend and session (spec 003 section 1; DESIGN.md 4.6).

A calm market that trends the signal's way at an active hour can carry a farther target; a wild one cannot.
All functions are vectorised over signals; an unknown condition (NaN) is a neutral one, so with none known the base
comes back to the bit.
"""

from __future__ import annotations

import numpy as np

from coordinator.settings.improvements import DynamicRewardRiskSettings
from coordinator.signals.regime import LEVELS
from coordinator.types import Floats, Ints

__all__ = ["dynamic_reward_risk", "session_factor", "trend_factor", "volatility_factor"]


def volatility_factor(level: Ints, atr_percentile: Floats) -> Floats:
    """v in -1..1, positive where volatility is low; shape (n,).

    The mean of the daily level (low 1, medium 0, high -1: how wild the market is) and of the ATR's percentile (0 is
    1, 1 is -1: how wild it is for this market). NaN where the percentile is.

    Parameters
    ----------
    level : index into ``signals.regime.LEVELS``
    atr_percentile : 0..1

    Examples
    --------
    >>> volatility_factor(np.array([2, 1, 0]), np.array([0.9, 0.5, 0.1]))
    array([-0.9,  0. ,  0.9])
    """
    by_level = (LEVELS.index("medium") - level).astype(np.float64)
    return 0.5 * (by_level + (1.0 - 2.0 * atr_percentile))


def trend_factor(direction: Ints, adx: Floats, plus_di: Floats, minus_di: Floats, full: float) -> Floats:
    """t in -1..1: the trend's strength, positive where it runs the signal's way; shape (n,), NaN where unknown.

    Parameters
    ----------
    direction : +1 or -1
    adx, plus_di, minus_di : Wilder's directional indicators, points 0..100
    full : ADX from which a trend counts in full

    Examples
    --------
    >>> trend_factor(np.array([1, -1]), np.array([25.0, 60.0]), np.array([30.0, 30.0]), np.array([10.0, 10.0]), 50)
    array([ 0.5, -1. ])
    """
    strength: Floats = np.sign(plus_di - minus_di) * np.clip(adx / full, 0.0, 1.0)
    return direction * strength


def session_factor(activity: Floats) -> Floats:
    """s in -1..1: twice the usual volume is 1, half of it -1; shape (n,), NaN where unknown.

    Parameters
    ----------
    activity : as ``signals.session.session_activity`` gives it, ratio >= 0

    Examples
    --------
    >>> session_factor(np.array([0.0, 0.5, 1.0, 2.0, 9.0]))
    array([-1., -1.,  0.,  1.,  1.])
    """
    with np.errstate(divide="ignore"):
        doublings: Floats = np.clip(np.log2(activity), -1.0, 1.0)
    return doublings


def dynamic_reward_risk(
    base: float, volatility: Floats, trend: Floats, session: Floats, settings: DynamicRewardRiskSettings
) -> Floats:
    """base (1 + .4 v)(1 + .4 t)(1 + .2 s), kept in 1.5..4.0 and in ``range`` around the base; shape (n,).

    A base beyond the bounds is a bound itself: an improvement must not move what nothing speaks against.

    Parameters
    ----------
    base : reward:risk without the improvement
    volatility, trend, session : -1..1, shape (n,); NaN is neutral

    Examples
    --------
    Spec 003: less than 2.5 in high volatility, more in low.

    >>> v, unknown = np.array([-0.9, np.nan, 0.9]), np.full(3, np.nan)
    >>> dynamic_reward_risk(2.5, v, unknown, unknown, DynamicRewardRiskSettings())
    array([1.6, 2.5, 3.4])
    """
    s = settings
    factors = (
        1.0 + weight * np.clip(np.nan_to_num(value, nan=0.0), -1.0, 1.0)
        for weight, value in (
            (s.volatility_weight, volatility),
            (s.trend_weight, trend),
            (s.session_weight, session),
        )
    )
    value: Floats = np.full(len(volatility), float(base))
    for factor in factors:
        value = value * factor
    value = np.clip(value, min(s.minimum, base), max(s.maximum, base))
    if s.range is not None:
        value = np.clip(value, base * (1.0 - s.range), base * (1.0 + s.range))
    return value
