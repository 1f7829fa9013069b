"""The four tactics: trend following, mean reversion, breakout, momentum (spec 004, action space).

Each turns indicators into a direction per candle with a confidence. They are states; a tactic *triggers* at the
candle at which its direction is taken up (``series.changed``). The breakout's is the channel trend: taken up where the
price leaves the fast channel, kept until it breaks the exit channel the other way, so it triggers once a trend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.settings.signals import BaselineSettings
from coordinator.signals.candles import Candles
from coordinator.signals.indicators import Indicators
from coordinator.signals.series import side
from coordinator.signals.trend import channel_trend
from coordinator.types import Floats, Ints

__all__ = ["TACTICS", "Tactic", "compute_tactics"]

TACTICS = ("trend_following", "mean_reversion", "breakout", "momentum")


@dataclass(frozen=True)
class Tactic:
    """A tactic's view of every candle.

    Attributes
    ----------
    direction : ndarray of int, shape (n,)
        +1, -1 or 0.
    confidence : ndarray of float, shape (n,)
        0 where there is no direction, else 0.5..1.
    """

    direction: Ints
    confidence: Floats


def _tactic(direction: Ints, strength: Floats) -> Tactic:
    """Confidence 0.5 at strength 0, 1.0 from strength 1 on."""
    grade = 0.5 + 0.5 * np.clip(np.nan_to_num(strength), 0.0, 1.0)
    return Tactic(direction, np.where(direction != 0, grade, 0.0))


def _trend_following(candles: Candles, ind: Indicators, s: BaselineSettings) -> Tactic:
    trending = ind.adx >= s.adx_trend
    direction = side(
        trending
        & (ind.ema_fast > ind.ema_slow)
        & (ind.plus_di > ind.minus_di)
        & (candles.close > ind.trend_ma),
        trending
        & (ind.ema_fast < ind.ema_slow)
        & (ind.plus_di < ind.minus_di)
        & (candles.close < ind.trend_ma),
    )
    return _tactic(direction, (ind.adx - s.adx_trend) / 25.0)


def _mean_reversion(candles: Candles, ind: Indicators, s: BaselineSettings) -> Tactic:
    ranging = ind.adx < s.adx_trend
    overbought = 100.0 - s.rsi_oversold
    direction = side(
        ranging & (ind.rsi <= s.rsi_oversold) & (ind.bollinger_b <= 0.0),
        ranging & (ind.rsi >= overbought) & (ind.bollinger_b >= 1.0),
    )
    return _tactic(direction, (np.abs(ind.rsi - 50.0) - (50.0 - s.rsi_oversold)) / s.rsi_oversold)


def _breakout(candles: Candles, ind: Indicators, s: BaselineSettings, clock_seconds: int) -> Tactic:
    close = candles.close
    slow = (close > ind.slow_high * (1 + s.slow_clearance)) | (close < ind.slow_low * (1 - s.slow_clearance))
    strength = 0.5 * slow + 0.5 * (ind.volume_ratio >= s.volume_surge)
    return _tactic(channel_trend(candles, ind, s, clock_seconds), strength)


def _momentum(candles: Candles, ind: Indicators, s: BaselineSettings) -> Tactic:
    direction = side(
        (ind.return_sigmas >= s.momentum_sigmas) & (ind.macd_histogram > 0) & (candles.close > ind.trend_ma),
        (ind.return_sigmas <= -s.momentum_sigmas) & (ind.macd_histogram < 0) & (candles.close < ind.trend_ma),
    )
    return _tactic(direction, np.abs(ind.return_sigmas) / s.momentum_sigmas - 1.0)


def compute_tactics(
    candles: Candles, indicators: Indicators, settings: BaselineSettings, clock_seconds: int | None = None
) -> dict[str, Tactic]:
    """All tactics by name, in the order of ``TACTICS``.

    Parameters
    ----------
    clock_seconds : length of a candle of the clock; None means the candles' own
    """
    seconds = clock_seconds or candles.seconds
    given = candles, indicators, settings
    with np.errstate(invalid="ignore"):
        return {
            "trend_following": _trend_following(*given),
            "mean_reversion": _mean_reversion(*given),
            "breakout": _breakout(*given, seconds),
            "momentum": _momentum(*given),
        }
