"""DCA entry plans: the lower the confidence, the more tranches (spec 000)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from coordinator.settings.trade import DcaSettings

__all__ = ["AT_ONCE", "EntryPlan", "entry_plan", "tranches_cancelled"]


@dataclass(frozen=True)
class EntryPlan:
    """Tranches of one position.

    Attributes
    ----------
    shares : tuple of float
        Shares of the whole plan, sum 1.
    offsets : tuple of float
        Price moves against the position at which each tranche is due, ratios of the first fill, ascending from 0.
    """

    shares: tuple[float, ...]
    offsets: tuple[float, ...]

    def due(self, filled: int, anchor: float, rate: float, direction: int) -> bool:
        """Whether the next tranche is due.

        Parameters
        ----------
        filled : int
            Tranches filled so far.
        anchor : float
            Price of the first fill.
        rate : float
            Current price.
        """
        moved = round(
            direction * (1 - rate / anchor), 9
        )  # a price exactly at the offset is due, also in floats
        return 0 < filled < len(self.shares) and moved >= self.offsets[filled]

    def average_offset(self) -> float:
        """Mean distance of the fills from the first one when the whole plan fills, ratio."""
        return sum(share * offset for share, offset in zip(self.shares, self.offsets, strict=True))


AT_ONCE = EntryPlan((1.0,), (0.0,))
"""One tranche."""


def entry_plan(
    confidence: float, stop_distance: float, settings: DcaSettings, atr: float = math.nan
) -> EntryPlan:
    """Two tranches from 75 % confidence, three from 65 %, four below.

    Tranches that would be due beyond the stop can never fill, and those beyond ``most_tranches`` may not; their shares
    go to the tranche before them.

    Parameters
    ----------
    atr : float
        ATR at the signal, ratio of the price, for spacing in ATRs; where it is NaN the fixed spacing holds.

    Examples
    --------
    >>> entry_plan(0.72, 0.03, DcaSettings())
    EntryPlan(shares=(0.4, 0.35, 0.25), offsets=(0.0, 0.005, 0.01))
    """
    if not settings.enabled:
        return AT_ONCE
    if confidence >= settings.high_confidence:
        sizes = settings.sizes_2
    elif confidence >= settings.medium_confidence:
        sizes = settings.sizes_3
    else:
        sizes = settings.sizes_4
    by_atr = settings.spacing_mode == "atr" and atr == atr
    spacing = settings.atr_spacing * atr if by_atr else settings.spacing
    offsets = [spacing * i for i in range(len(sizes))]
    kept = min(settings.most_tranches, max(1, sum(offset < stop_distance for offset in offsets)))
    shares = (*sizes[: kept - 1], sum(sizes[kept - 1 :]))
    return EntryPlan(shares, tuple(offsets[:kept]))


def tranches_cancelled(candles: int, turned: bool, exits: int, settings: DcaSettings) -> str | None:
    """Why tranches that wait will not be entered any more, or None; a stop-out ends the plan with its trade.

    Parameters
    ----------
    candles : int
        Closed candles since the signal's.
    turned : bool
        Whether the baseline has pointed the other way since the signal.
    exits : int
        Partial exits so far: what was reduced is not added to.

    Examples
    --------
    >>> [tranches_cancelled(*x, DcaSettings()) for x in ((3, False, 0), (3, True, 0), (24, False, 0), (3, False, 1))]
    [None, 'the baseline turned', 'expired', 'reduced']
    """
    if exits:
        return "reduced"
    if turned and settings.cancel_on_reversal:
        return "the baseline turned"
    return "expired" if candles >= settings.expiry else None
