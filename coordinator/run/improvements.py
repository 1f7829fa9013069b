"""The improvements of spec 003 at a pair's signals: what each would be without them and with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from coordinator.settings import Mode, Settings
from coordinator.signals.candles import Candles
from coordinator.signals.indicators import Indicators
from coordinator.signals.regime import Regime, atr_percentile
from coordinator.signals.session import session_activity
from coordinator.trade.dynamic_reward_risk import (
    dynamic_reward_risk,
    session_factor,
    trend_factor,
    volatility_factor,
)
from coordinator.trade.volatility_sizing import size_multiplier
from coordinator.types import Floats, Ints

__all__ = [
    "ADAPTIVE_THRESHOLDS",
    "DYNAMIC_REWARD_RISK",
    "EARNED_RISK",
    "REGIME_AVOID",
    "REGIME_GATE",
    "VOLATILITY_SIZING",
    "VOLATILITY_TARGET",
    "Improvement",
    "apply_improvement",
    "log_failure",
    "signal_improvements",
]

logger = logging.getLogger(__name__)

ADAPTIVE_THRESHOLDS = "adaptive_thresholds"
DYNAMIC_REWARD_RISK = "dynamic_reward_risk"
VOLATILITY_SIZING = "volatility_sizing"
REGIME_GATE = "regime_gate"
REGIME_AVOID = "regime_avoid"
EARNED_RISK = "earned_risk"
VOLATILITY_TARGET = "volatility_target"


class Improvement(NamedTuple):
    """A number of each signal without and with an improvement, arrays of shape (n_signals,).

    ``mode`` is "shadow" or "on"; NaN in ``adjusted`` where it does not apply.
    """

    mode: Mode
    base: Floats
    adjusted: Floats

    @property
    def effective(self) -> Floats:
        """The numbers to act on."""
        return self.adjusted if self.mode == "on" else self.base


@lru_cache(maxsize=64)
def log_failure(name: str, error: str) -> None:
    """Log that an improvement failed, once for each kind of failure."""
    logger.error("The improvement %s failed and is left out: %s", name, error)


def apply_improvement(
    name: str, mode: Mode, base: Floats, adjust: Callable[[], Floats]
) -> Improvement | None:
    """An improvement's numbers; None where it is off or raises, so that the base holds.

    Single numbers that are not finite fall back to the base.
    """
    if mode == "off":
        return None
    try:
        adjusted = adjust()
        return Improvement(mode, base, np.where(np.isfinite(adjusted), adjusted, base))
    except Exception as error:
        log_failure(name, f"{type(error).__name__}: {error}")
        return None


def signal_improvements(
    pair: str,
    candles: Candles,
    indicators: Indicators,
    regime: Regime,
    index: Ints,
    direction: Ints,
    settings: Settings,
) -> dict[str, Improvement]:
    """Dynamic reward:risk and volatility sizing of a pair's signals, those that are not off.

    Parameters
    ----------
    indicators, regime : of every candle
    index, direction : shape (n_signals,), the candles with a signal and where to
    """
    s = settings.improvements
    base = settings.targets.reward_risk

    def rank() -> Floats:
        return atr_percentile(candles, indicators.atr)[index]

    def reward_risk() -> Floats:
        dynamic, di = s.dynamic_reward_risk, (indicators.plus_di[index], indicators.minus_di[index])
        volatility = volatility_factor(regime.level[index], rank())
        trend = trend_factor(direction, indicators.adx[index], *di, dynamic.full_adx)
        session = session_factor(session_activity(candles, index, dynamic.session_days))
        return dynamic_reward_risk(base, volatility, trend, session, dynamic)

    def size() -> Floats:
        return size_multiplier(regime.volatility[index], rank(), settings.regime, s.volatility_sizing)

    n = len(index)
    candidates = {
        DYNAMIC_REWARD_RISK: apply_improvement(
            DYNAMIC_REWARD_RISK, s.mode_of(s.dynamic_reward_risk, pair), np.full(n, base), reward_risk
        ),
        VOLATILITY_SIZING: apply_improvement(
            VOLATILITY_SIZING, s.mode_of(s.volatility_sizing, pair), np.ones(n), size
        ),
    }
    return {name: value for name, value in candidates.items() if value is not None}
