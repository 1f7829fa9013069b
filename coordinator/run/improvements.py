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
from coordinator.signals.session import usual_activity
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
    "VOLATILITY_SIZING",
    "Improved",
    "failed",
    "improve",
    "improve_signals",
]

logger = logging.getLogger(__name__)

ADAPTIVE_THRESHOLDS = "adaptive_thresholds"
DYNAMIC_REWARD_RISK = "dynamic_reward_risk"
VOLATILITY_SIZING = "volatility_sizing"


class Improved(NamedTuple):
    """A number of each signal without and with an improvement, arrays of shape (n_signals,).

    ``mode`` is "shadow" or "on"; NaN in ``adjusted`` where it had nothing to say.
    """

    mode: Mode
    base: Floats
    adjusted: Floats

    @property
    def effective(self) -> Floats:
        """The numbers to act on."""
        return self.adjusted if self.mode == "on" else self.base


@lru_cache(maxsize=64)
def failed(name: str, error: str) -> None:
    """Say that an improvement failed, once for each kind of failure."""
    logger.error("The improvement %s failed and is left out: %s", name, error)


def improve(name: str, mode: Mode, base: Floats, adjust: Callable[[], Floats]) -> Improved | None:
    """An improvement's numbers; None where it is off or raises, so that the base holds.

    Single numbers that are not finite fall back to the base.
    """
    if mode == "off":
        return None
    try:
        adjusted = adjust()
        return Improved(mode, base, np.where(np.isfinite(adjusted), adjusted, base))
    except Exception as error:
        failed(name, f"{type(error).__name__}: {error}")
        return None


def improve_signals(
    pair: str,
    candles: Candles,
    indicators: Indicators,
    regime: Regime,
    index: Ints,
    direction: Ints,
    settings: Settings,
) -> dict[str, Improved]:
    """Dynamic reward:risk and volatility sizing of a pair's signals, those that are not off.

    Parameters
    ----------
    indicators, regime : of every candle
    index, direction : shape (n_signals,), the candles with a signal and where to
    """
    x = settings.improvements
    base = settings.targets.reward_risk

    def rank() -> Floats:
        return atr_percentile(candles, indicators.atr)[index]

    def reward_risk() -> Floats:
        s, di = x.dynamic_reward_risk, (indicators.plus_di[index], indicators.minus_di[index])
        volatility = volatility_factor(regime.level[index], rank())
        trend = trend_factor(direction, indicators.adx[index], *di, s.full_adx)
        session = session_factor(usual_activity(candles, index, s.session_days))
        return dynamic_reward_risk(base, volatility, trend, session, s)

    def size() -> Floats:
        return size_multiplier(regime.volatility[index], rank(), settings.regime, x.volatility_sizing)

    n = len(index)
    found = {
        DYNAMIC_REWARD_RISK: improve(
            DYNAMIC_REWARD_RISK, x.mode_of(x.dynamic_reward_risk, pair), np.full(n, base), reward_risk
        ),
        VOLATILITY_SIZING: improve(VOLATILITY_SIZING, x.mode_of(x.volatility_sizing, pair), np.ones(n), size),
    }
    return {name: improved for name, improved in found.items() if improved is not None}
