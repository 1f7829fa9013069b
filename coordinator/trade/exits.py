"""Adaptive exits: profit targets by volatility, and what ends or reduces a position before its target (spec 004).

The trailing stop (confidence .9) and the hard stop (1.0) of the same section are prices, in ``trade.stops``.
Freqtrade names those exits itself; ``shown_reason`` adds their confidence where a person reads the reason.
"""

from __future__ import annotations

from typing import NamedTuple

from coordinator.settings.exits import ExitsSettings
from coordinator.trade.market import MarketPath

__all__ = [
    "EXIT_RULES",
    "ExitSignal",
    "HeldPosition",
    "exit_signals",
    "leaves_no_dust",
    "profit_targets",
    "scale_out_due",
    "scale_out_stake",
    "shown_reason",
]

EXIT_RULES = ("momentum_reversal", "low_volume", "stagnation", "trend_change")
STOP_CONFIDENCE = {
    "stop_loss": 1.0,
    "stoploss_on_exchange": 1.0,
    "liquidation": 1.0,
    "trailing_stop_loss": 0.9,
}
"""Documented confidence of the exits that are prices: hard stop and trailing stop, under Freqtrade's own reasons."""


class HeldPosition(NamedTuple):
    """What the rules need to know of a position.

    Attributes
    ----------
    direction : +1 or -1
    open_rate : average entry price
    candles : closed candles since the signal's
    scaled_out : partial exits so far
    """

    direction: int
    open_rate: float
    candles: int
    scaled_out: int

    def profit(self, rate: float) -> float:
        """Price move in the position's favour, ratio, before costs and leverage; exact to nine digits."""
        return self.direction * round(rate / self.open_rate - 1.0, 9)


class ExitSignal(NamedTuple):
    """A rule that says leave.

    Attributes
    ----------
    rule : one of ``EXIT_RULES``
    confidence : 0..1, the rule's
    """

    rule: str
    confidence: float

    @property
    def reason(self) -> str:
        """For Freqtrade's exit_reason."""
        return f"{self.rule.replace('_', ' ')} ({self.confidence:.0%})"


def profit_targets(multiplier: float, settings: ExitsSettings) -> tuple[float, float, float]:
    """The three profit targets, ratios: 2, 4 and 6 % times the volatility multiplier.

    Examples
    --------
    >>> [round(target, 4) for target in profit_targets(1.25, ExitsSettings())]
    [0.025, 0.05, 0.075]
    """
    first, second, third = settings.targets
    return first * multiplier, second * multiplier, third * multiplier


def exit_signals(
    held: HeldPosition, rate: float, path: MarketPath, row: int, settings: ExitsSettings
) -> list[ExitSignal]:
    """Rules that say leave, those in shadow mode too; the surest first.

    Momentum reversal and low volume need a profit above the first target, a trend change needs any profit; stagnation
    needs time.

    Parameters
    ----------
    rate : current price
    path, row : the pair's last closed candle

    Returns
    -------
    list of ExitSignal
        Empty on nearly every candle. A rule without the history it needs does not fire.
    """
    s, fired = settings, []
    if held.profit(rate) > s.targets[0] * path.multiplier.item(row):
        rule = s.momentum_reversal
        if rule.mode != "off" and held.direction * path.momentum.item(row) < -rule.momentum:
            fired.append(ExitSignal("momentum_reversal", rule.confidence))
        if s.low_volume.mode != "off" and path.volume_ratio.item(row) < s.low_volume.ratio:
            fired.append(ExitSignal("low_volume", s.low_volume.confidence))
    change = s.trend_change
    turned = change.mode != "off" and path.warning.item(row) == -held.direction
    if turned and held.profit(rate) > 0:
        fired.append(ExitSignal("trend_change", change.confidence))
    still = s.stagnation
    if still.mode != "off" and held.candles > still.candles <= row:
        moved = path.close.item(row) - path.close.item(row - still.candles)
        if abs(moved) < still.change * held.open_rate:
            fired.append(ExitSignal("stagnation", still.confidence))
    return sorted(fired, key=_confidence, reverse=True) if len(fired) > 1 else fired


def shown_reason(reason: str) -> str:
    """An exit reason with its confidence, for people; those of rules have it, a stop's gets its documented one.

    Examples
    --------
    >>> shown_reason("stop_loss"), shown_reason("trailing_stop_loss"), shown_reason("low volume (75%)")
    ('stop_loss (100%)', 'trailing_stop_loss (90%)', 'low volume (75%)')
    """
    confidence = STOP_CONFIDENCE.get(reason)
    return reason if confidence is None else f"{reason} ({confidence:.0%})"


def _confidence(signal: ExitSignal) -> float:
    return signal.confidence


def scale_out_due(held: HeldPosition, rate: float, multiplier: float, settings: ExitsSettings) -> bool:
    """Whether part of the position is to be closed: once above the second target, once above the third.

    Examples
    --------
    >>> s = ExitsSettings.model_validate({"scale_out": {"mode": "on"}})  # targets 2, 4 and 6 %
    >>> held, once = HeldPosition(1, 100.0, 9, 0), HeldPosition(1, 100.0, 9, 1)
    >>> [scale_out_due(held, 105.0, m, s) for m in (1.0, 1.5)], scale_out_due(once, 105.0, 1.0, s)
    ([True, False], False)
    """
    if settings.scale_out.mode == "off" or held.scaled_out > 1:
        return False
    return held.profit(rate) > settings.targets[1 + held.scaled_out] * multiplier


def scale_out_stake(stake: float, value: float, minimum: float, settings: ExitsSettings) -> float:
    """Stake to close; 0 where the part or the rest would be below the exchange's minimum (dust).

    Parameters
    ----------
    stake : of the whole position, stake currency
    value : of the whole position at the current price, without leverage
    minimum : the exchange's, stake currency, with its reserve for the stop

    Examples
    --------
    >>> s = ExitsSettings()
    >>> scale_out_stake(100.0, 104.0, 10.0, s), scale_out_stake(20.0, 20.8, 10.0, s)
    (33.0, 0.0)
    """
    share = settings.scale_out.share
    return stake * share if leaves_no_dust(min(stake, value), share, minimum) else 0.0


def leaves_no_dust(value: float, share: float, minimum: float) -> bool:
    """Whether a share of a position, and what it leaves, are both worth the exchange's minimum at least.

    Examples
    --------
    >>> leaves_no_dust(20.0, 0.5, 10.0), leaves_no_dust(20.0, 0.4, 10.0)
    (True, False)
    """
    return min(share, 1.0 - share) * value >= minimum
