"""What to simulate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from coordinator.errors import CoordinatorError
from coordinator.sandbox.profiles import DEFAULT_PAIRS

__all__ = ["MarketSpec"]

_PAIR: Final = re.compile(r"[A-Z0-9]{2,15}/[A-Z0-9]{2,10}")
_OWNER: Final = "the simulated market"
_LONGEST: Final = timedelta(days=50 * 365)


@dataclass(frozen=True)
class MarketSpec:
    """A simulated market; equal specs give equal candles, to the bit.

    Attributes
    ----------
    pairs : tuple of str
        Spot names, e.g. ``"BTC/USDT"``; each is simulated alone, so adding pairs leaves the others unchanged.
    start, end : datetime
        Midnights UTC, end excluded, a day to fifty years apart. Moving the end leaves earlier candles unchanged.
    seed : int
        At least 0.
    sectors : mapping of str to str
        Base currency to sector, where it should differ from the profile's.
    bull_drift, bear_drift : float
        Drift of a bull and a bear regime per year, as a fraction (0.4 = 40 %), -5..5. Ranging regimes have
        none. In a regime of four weeks that is 3 % against a standard deviation of some 20 %: deliberately
        too weak to trade on. Everything else is a fair game: expected simple return 0, so that the median
        price falls by half the variance (some 20 % a year for BTC, 40 to 60 % for the others).
    regime_weeks : float
        Mean duration of a regime in weeks, 0.5..52.
    outages_per_year : float
        Hours-long gaps that all pairs share, 0..100 per year.
    """

    pairs: tuple[str, ...] = DEFAULT_PAIRS
    start: datetime = datetime(2022, 1, 1, tzinfo=UTC)
    end: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    seed: int = 0
    sectors: Mapping[str, str] = field(default_factory=dict)
    bull_drift: float = 0.4
    bear_drift: float = -0.4
    regime_weeks: float = 4.0
    outages_per_year: float = 4.0

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated.

        Raises
        ------
        CoordinatorError
            Naming the field, its rule and the value.
        """
        for pair in self.pairs:
            if not _PAIR.fullmatch(pair):
                raise CoordinatorError("pairs", _OWNER, "be spot names such as BTC/USDT", pair)
        if not self.pairs or len(set(self.pairs)) < len(self.pairs):
            raise CoordinatorError("pairs", _OWNER, "be at least one, each named once", list(self.pairs))
        for name, moment in (("start", self.start), ("end", self.end)):
            offset = moment.utcoffset()
            midnight = moment.hour == moment.minute == moment.second == moment.microsecond == 0
            if offset is None or offset != timedelta(0) or not midnight:
                raise CoordinatorError(name, _OWNER, "be a midnight in UTC", moment.isoformat())
        if not timedelta(days=1) <= self.end - self.start <= _LONGEST:
            rule = f"be a day to {_LONGEST.days:,} days after {self.start:%Y-%m-%d}"
            raise CoordinatorError("end", _OWNER, rule, f"{self.end:%Y-%m-%d}")
        for name, value, low, high in (
            ("seed", self.seed, 0, 2**63),
            ("bull_drift", self.bull_drift, -5, 5),
            ("bear_drift", self.bear_drift, -5, 5),
            ("regime_weeks", self.regime_weeks, 0.5, 52),
            ("outages_per_year", self.outages_per_year, 0, 100),
        ):
            if not low <= value <= high:
                raise CoordinatorError(name, _OWNER, f"be between {low} and {high}", value)

    @property
    def hours(self) -> int:
        """Number of hours from start to end, outages included."""
        return int((self.end - self.start) / timedelta(hours=1))
