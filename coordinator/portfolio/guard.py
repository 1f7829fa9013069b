"""The one place that says no to an entry because of the positions already held (spec 003 section 2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from coordinator.portfolio.sectors import sector_of
from coordinator.settings.improvements import CorrelationFilterSettings

__all__ = ["Limit", "Position", "correlated_positions", "entry_limits"]


class Position(NamedTuple):
    """A position that is held: direction +1 or -1."""

    pair: str
    direction: int


class Limit(NamedTuple):
    """A limit of an entry: refused where as many positions are held as allowed, or more."""

    name: str
    allowed: int
    held: int
    reason: str

    @property
    def refuses(self) -> bool:
        """Whether the entry is refused."""
        return self.held >= self.allowed


def correlated_positions(
    direction: int, held: Iterable[Position], correlations: Mapping[str, float], threshold: float
) -> list[Position]:
    """Positions that would gain and lose with a new one.

    Of the same side with a positive correlation, of the opposite side with a negative one; beyond the threshold
    (|correlation| > threshold). Unknown correlations (absent or NaN) do not count.

    Parameters
    ----------
    direction : of the new position, +1 or -1
    correlations : of the new pair with each other pair, -1..1

    Examples
    --------
    >>> held = [Position("ETH/USDT", 1), Position("SOL/USDT", -1), Position("ADA/USDT", -1)]
    >>> known = {"ETH/USDT": 0.9, "SOL/USDT": 0.9, "ADA/USDT": -0.8}
    >>> [position.pair for position in correlated_positions(1, held, known, 0.7)]
    ['ETH/USDT', 'ADA/USDT']
    """
    return [
        position
        for position in held
        if correlations.get(position.pair, 0.0) * direction * position.direction > threshold
    ]


def entry_limits(
    pair: str,
    direction: int,
    held: Iterable[Position],
    correlations: Mapping[str, float],
    settings: CorrelationFilterSettings,
) -> list[Limit]:
    """Every limit that applies to an entry, whether it refuses or not.

    A position in the same pair is not counted: it is the same one.

    Returns
    -------
    list of Limit
        "correlation_filter" always; "sector_limit" where the pair has a sector.
    """
    others = [position for position in held if position.pair != pair]
    alike = correlated_positions(direction, others, correlations, settings.threshold)
    described = ", ".join(f"{p.pair} {correlations[p.pair]:+.2f}" for p in alike)
    limits = [
        Limit(
            "correlation_filter",
            settings.max_correlated,
            len(alike),
            f"correlated with {described or 'none'}",
        )
    ]
    sector = sector_of(pair, settings.sectors) if settings.use_sectors else None
    if sector is not None:
        same = [p.pair for p in others if sector_of(p.pair, settings.sectors) == sector]
        reason = f"sector {sector} holds {', '.join(same) or 'none'}"
        limits.append(Limit("sector_limit", settings.max_per_sector, len(same), reason))
    return limits
