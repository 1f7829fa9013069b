"""How much leverage a position can bear: its planned stop must be reached before its liquidation."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["bearable_leverage"]

_WAY_TO_LIQUIDATION: Final = 0.8  # the rest is the maintenance margin, fees, and a jump


def bearable_leverage(wanted: float, stop_distance: float) -> float:
    """The wanted leverage, or the largest whole one whose liquidation lies beyond the stop.

    A position of leverage L is liquidated after a move of nearly 1/L against it. The stop shall lie within 80 % of
    that way.

    Parameters
    ----------
    wanted : at least 1
    stop_distance : from the first fill, ratio of the price

    Examples
    --------
    >>> [bearable_leverage(10.0, stop) for stop in (0.03, 0.1, 0.3, 0.9)]
    [10.0, 8.0, 2.0, 1.0]
    """
    bearable = math.floor(_WAY_TO_LIQUIDATION / stop_distance * (1 + 1e-9)) if stop_distance > 0 else math.inf
    return wanted if wanted <= bearable else max(1.0, float(bearable))
