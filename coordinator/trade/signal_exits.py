"""Exits that follow from the baseline alone, candle by candle: the same for the account and for a virtual trade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.series import changed
from coordinator.signals.technical import Technical
from coordinator.signals.trend import leaves_channel
from coordinator.types import Bools

__all__ = ["SignalExits", "signal_exits"]


@dataclass(frozen=True)
class SignalExits:
    """Arrays of shape (n_candles,): at whose close a position is left.

    Attributes
    ----------
    long, short : bool, whether a long, a short is left
    reason : text for the exit reason, None where nothing is left
    """

    long: Bools
    short: Bools
    reason: npt.NDArray[np.object_]


def signal_exits(candles: Candles, technical: Technical, settings: Settings) -> SignalExits:
    """The exits that are switched on: baseline turn, exit channel, exit MA; the first of them names the reason.

    The baseline's turn is an event, the other two hold as long as the price stays beyond: an exit that was missed is
    made up for, and a position on the wrong side of them is left at once, which suits no mean reversion.
    """
    s, ind, close = settings.exits, technical.indicators, candles.close
    n = len(close)
    out = SignalExits(np.zeros(n, dtype=bool), np.zeros(n, dtype=bool), np.full(n, None, dtype=object))
    with np.errstate(invalid="ignore"):
        below, above = close < ind.exit_ma, close > ind.exit_ma
    if s.baseline_turn:
        turned, direction = changed(technical.direction), technical.direction
        short, long = turned & (direction < 0) & below, turned & (direction > 0) & above
        _add(out, short, long, "baseline turned short", "baseline turned long")
    if s.channel:
        length = f"{settings.baseline.exit_channel} x {settings.baseline.clock}"
        _add(out, *leaves_channel(candles, ind), f"below the low of {length}", f"above the high of {length}")
    if s.moving_average:
        _add(out, below, above, "below the exit MA", "above the exit MA")
    return out


def _add(out: SignalExits, long: Bools, short: Bools, leave_long: str, leave_short: str) -> None:
    for leaves, exits, text in ((long, out.long, leave_long), (short, out.short, leave_short)):
        out.reason[leaves & (out.reason == None)] = text  # noqa: E711
        exits |= leaves
