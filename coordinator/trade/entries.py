"""DCA entry plans: the lower the confidence, the more tranches (spec 000)."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.settings import DcaSettings

__all__ = ["EntryPlan", "entry_plan"]


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


def entry_plan(confidence: float, stop_distance: float, settings: DcaSettings) -> EntryPlan:
    """Two tranches from 75 % confidence, three from 65 %, four below.

    Tranches that would be due beyond the stop can never fill; their shares go to the tranche before them.

    Examples
    --------
    >>> entry_plan(0.72, 0.03, DcaSettings())
    EntryPlan(shares=(0.4, 0.35, 0.25), offsets=(0.0, 0.005, 0.01))
    """
    if confidence >= settings.high_confidence:
        sizes = settings.sizes_2
    elif confidence >= settings.medium_confidence:
        sizes = settings.sizes_3
    else:
        sizes = settings.sizes_4
    offsets = [settings.spacing * i for i in range(len(sizes))]
    kept = max(1, sum(offset < stop_distance for offset in offsets))
    shares = (*sizes[: kept - 1], sum(sizes[kept - 1 :]))
    return EntryPlan(shares, tuple(offsets[:kept]))
