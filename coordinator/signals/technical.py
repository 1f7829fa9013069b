"""The technical baseline: candles to direction, confidence and reasons, and the signals ML votes on.

Seven indicators vote -1..1 on every candle; their weighted mean is the score. The baseline has a direction where
the score is strong enough and the price stands on the right side of the trend MA. A *signal* is an event: the candle
at which the baseline takes up a direction, a tactic triggers, or (re-arming) another candle of the clock has closed in
a channel trend. All of it reads the clock's candles (``signals.clock``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coordinator.settings.signals import TRIGGERS, BaselineSettings
from coordinator.signals.breaks import by_history, find_breaks
from coordinator.signals.candles import Candles
from coordinator.signals.clock import Clock
from coordinator.signals.indicators import Indicators, compute_indicators
from coordinator.signals.series import changed, side
from coordinator.signals.tactics import Tactic, compute_tactics
from coordinator.types import Bools, Floats, Ints

__all__ = ["REARMED_REASON", "VOTE_WEIGHTS", "Technical", "compute_technical"]

VOTE_WEIGHTS = {
    "EMA crossover": 0.20,
    "MACD": 0.15,
    "RSI": 0.15,
    "Bollinger": 0.10,
    "ADX/DI": 0.15,
    "volume": 0.10,
    "breakout": 0.15,
}
"""Weights of the indicator votes; they sum to 1."""

REARMED_REASON = "trend goes on"
"""How the reasons of a signal begin that is one only because its trend goes on."""

TRIGGER_SHARE = 0.4  # of a signal's confidence; the rest is the agreement of the indicators


@dataclass(frozen=True)
class Technical:
    """The baseline's view of every candle of a pair; arrays of shape (n,) unless stated.

    Attributes
    ----------
    score : float, -1..1, 0 while an indicator lacks history
    direction : int, the baseline's direction
    confidence : float, 0..1, |score| where there is a direction, else 0
    signal : int, direction of the signal at this candle, 0 where there is none
    signal_confidence : float, 0..1, 0 where there is no signal
    votes : float, shape (7, n), the indicator votes in the order of ``VOTE_WEIGHTS``
    tactics : the tactics by name
    triggers : bool, shape (5, n): baseline turned, then each tactic triggered; False where it is
        not among the settings' triggers
    rearmed : bool, whether the signal is one only because its trend goes on
    indicators : what it was computed from
    """

    score: Floats
    direction: Ints
    confidence: Floats
    signal: Ints
    signal_confidence: Floats
    votes: Floats
    tactics: dict[str, Tactic]
    triggers: Bools
    rearmed: Bools
    indicators: Indicators

    def without_signals(self, rows: Bools) -> Technical:
        """The same without the signals at some candles, mask of shape (n,)."""
        if not rows.any():
            return self
        return replace(
            self,
            signal=np.where(rows, 0, self.signal),
            signal_confidence=np.where(rows, 0.0, self.signal_confidence),
            rearmed=self.rearmed & ~rows,
        )

    def reasons(self, index: int) -> str:
        """Why there is a signal at a candle, in words: what triggered, then which indicators agree."""
        direction = self.signal[index]
        names = ("baseline turned", *(name.replace("_", " ") for name in self.tactics))
        directions = (self.direction, *(tactic.direction for tactic in self.tactics.values()))
        triggered = [
            name
            for name, fired, towards in zip(names, self.triggers[:, index], directions, strict=True)
            if fired and towards[index] == direction
        ]
        agreeing = [
            name
            for name, vote in zip(VOTE_WEIGHTS, self.votes[:, index], strict=True)
            if vote * direction > 0.25
        ]
        if self.rearmed[index]:
            triggered = [REARMED_REASON]
        return " + ".join(triggered) + (f" ({', '.join(agreeing)})" if agreeing else "")


def _votes(candles: Candles, ind: Indicators, s: BaselineSettings) -> Floats:
    close = candles.close
    crossover = np.sign(ind.ema_fast - ind.ema_slow)
    adx_di = np.where(ind.adx >= s.adx_trend, np.sign(ind.plus_di - ind.minus_di), 0.0)
    adx_di = np.where(np.isnan(ind.adx), np.nan, adx_di)
    volume = np.where(ind.volume_ratio >= s.volume_surge, ind.body, 0.0)
    fast = side(
        close > ind.fast_high * (1 + s.fast_clearance),
        close < ind.fast_low * (1 - s.fast_clearance),
    )
    slow = side(
        close > ind.slow_high * (1 + s.slow_clearance),
        close < ind.slow_low * (1 - s.slow_clearance),
    )
    breakout = np.where(np.isnan(ind.slow_high), np.nan, 0.5 * fast + 0.5 * slow)
    return np.vstack(
        (
            crossover,
            np.sign(ind.macd_histogram),
            np.clip((ind.rsi - 50.0) / 20.0, -1.0, 1.0),
            np.clip(2.0 * ind.bollinger_b - 1.0, -1.0, 1.0),
            adx_di,
            volume,
            breakout,
        )
    )


def compute_technical(
    candles: Candles, settings: BaselineSettings, clock_candles: Candles | None = None
) -> Technical:
    """The baseline for one pair.

    Too few candles are no error: there is no direction until every indicator has its history. After a break
    (``signals.breaks``) the history begins anew, and frozen candles have no signal.

    Parameters
    ----------
    candles : those at which it decides
    clock_candles : the pair's candles of ``settings.clock``; None means that ``candles`` are the clock's own
    """

    def compute(own: Candles, began: int | None) -> Technical:
        read = None if clock_candles is None else clock_candles.since(began)
        return _compute(own, settings, read)

    found = find_breaks(candles)
    return by_history(candles, compute, found).without_signals(found.frozen)


def _compute(candles: Candles, settings: BaselineSettings, clock_candles: Candles | None) -> Technical:
    clock = Clock.of(candles, clock_candles)
    indicators = compute_indicators(candles, settings, clock)
    with np.errstate(invalid="ignore"):
        votes = _votes(candles, indicators, settings)
        weights = np.array(list(VOTE_WEIGHTS.values()))
        score = np.nan_to_num((weights[:, None] * votes).sum(axis=0))
        direction = side(
            (score >= settings.direction_score) & (candles.close > indicators.trend_ma),
            (score <= -settings.direction_score) & (candles.close < indicators.trend_ma),
        )
    confidence = np.where(direction != 0, np.abs(score), 0.0)
    tactics = compute_tactics(candles, indicators, settings, clock.candles.seconds)
    views = [Tactic(direction, confidence), *tactics.values()]
    used = np.array([name in settings.triggers for name in TRIGGERS])
    triggers = used[:, None] & np.vstack([changed(view.direction) for view in views])
    signal, signal_confidence = _signals(score, views, triggers)
    rearmed = np.zeros(len(candles), dtype=bool)
    if settings.rearm != "off":
        trend = tactics["breakout"].direction
        rearmed = (signal == 0) & clock.begins & (trend != 0)
        signal = np.where(rearmed, trend, signal)
        strength = _agreement(score, signal)  # there is no trigger: the indicators alone
        signal_confidence = np.where(rearmed, strength, signal_confidence)
    return Technical(
        score=score,
        direction=direction,
        confidence=confidence,
        signal=signal,
        signal_confidence=signal_confidence,
        votes=votes,
        tactics=tactics,
        triggers=triggers,
        rearmed=rearmed,
        indicators=indicators,
    )


def _agreement(score: Floats, signal: Ints) -> Floats:
    """How far the indicators agree with a signal, 0..1."""
    return 0.5 + 0.5 * score * signal


def _signals(score: Floats, views: list[Tactic], triggers: np.ndarray) -> tuple[Ints, Floats]:
    """Direction and confidence of the signal at each candle.

    Conflicting triggers are settled by their summed confidence; a draw is no signal. Confidence is 60 % the
    indicators' agreement (score mapped to 0..1 in the signal's direction) and 40 % the best trigger's own.
    """
    directions = np.vstack([view.direction for view in views])
    confidences = np.vstack([view.confidence for view in views])
    net = (triggers * directions * confidences).sum(axis=0)
    signal = np.sign(np.round(net, 12)).astype(np.int64)
    own = np.where(triggers & (directions == signal), confidences, 0.0).max(axis=0)
    confidence = (1 - TRIGGER_SHARE) * _agreement(score, signal) + TRIGGER_SHARE * own
    return signal, np.where(signal != 0, confidence, 0.0)
