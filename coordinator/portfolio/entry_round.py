"""The entries of one candle: which of them the limits refuse, and which get the free slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from coordinator.portfolio.correlation_cache import CorrelationCache
from coordinator.portfolio.guard import Limit, Position, entry_limits
from coordinator.portfolio.ranking import (
    Candidate,
    allocate_slots,
    divide_by_policy,
    rank_candidates,
)
from coordinator.portfolio.slot_terms import portfolio_state
from coordinator.settings import Settings

__all__ = ["EntryRound", "Slots"]


@dataclass(frozen=True)
class Slots:
    """What Freqtrade knows of its slots.

    Attributes
    ----------
    held : gives the positions, open orders included
    limit : positions at most; None without a limit
    locked : whether a pair is locked for a direction
    opened : gives the open times of the candles before the positions' entries, seconds
    """

    held: Callable[[], Iterable[Position]]
    limit: int | None = None
    locked: Callable[[str, int], bool] = lambda pair, direction: False
    opened: Callable[[], Sequence[int]] = tuple


@dataclass
class EntryRound:
    """The entries of one candle; limits are computed once a pair.

    The positions that count are those before the candle's first entry and the winners before a pair, so that the
    pair list's order decides nothing.

    Attributes
    ----------
    time : open time of the last closed candle
    held : positions before the candle's first entry
    free : free slots then; None without a limit
    correlations : of all pairs
    limit_acts : whether a limit that refuses a pair is obeyed
    ranks : pair to its rank from 1 among the candidates that the limits let through
    left : pair to the policy's P(take) of the candidates that it leaves without a slot
    """

    time: int
    held: list[Position]
    free: int | None
    settings: Settings
    correlations: CorrelationCache
    limit_acts: Callable[[str], bool]
    ranks: dict[str, int] = field(default_factory=dict)
    left: dict[str, float] = field(default_factory=dict)
    _portfolio: tuple[float, float] = (0.0, 0.0)
    _limits: dict[str, list[Limit]] = field(default_factory=dict)
    _candidates: set[str] = field(default_factory=set)

    @classmethod
    def begin(
        cls,
        time: int,
        slots: Slots,
        settings: Settings,
        correlations: CorrelationCache,
        limit_acts: Callable[[str], bool],
    ) -> EntryRound:
        """The round before the candle's first entry."""
        held = list(slots.held())
        free = None if slots.limit is None else max(0, slots.limit - len(held))
        entries = cls(time, held, free, settings, correlations, limit_acts)
        if settings.divides_slots and slots.limit:
            entries._portfolio = portfolio_state(slots.opened(), slots.limit, time, settings.time_limit)
        return entries

    def rank(self, pair: str, accepted: Callable[[], Iterable[Candidate]], slots: Slots) -> None:
        """Rank the candle's candidates where that has not been done with this pair among them (a bot's may be late).

        Parameters
        ----------
        accepted : gives the candle's accepted signals
        """
        if self.free is None or pair in self._candidates:
            return
        holding = {position.pair for position in self.held}
        candidates = [
            candidate
            for candidate in accepted()
            if candidate.pair not in holding and not slots.locked(candidate.pair, candidate.direction)
        ]
        self._candidates = {candidate.pair for candidate in candidates}
        self._limits.clear()
        divided = divide_by_policy(candidates, self._portfolio) if self.settings.divides_slots else None
        ranked, self.left = divided or (rank_candidates(candidates), {})
        self.ranks = allocate_slots(ranked, self.held, self.free, self._refuses)

    def rank_of(self, pair: str) -> int | None:
        """A candidate's rank; None for a pair that is none, or that the limits refuse."""
        return self.ranks.get(pair) if pair in self._candidates else None

    def limits(self, pair: str, direction: int, held: Callable[[], Iterable[Position]]) -> list[Limit]:
        """Every limit of an entry: beside the winners before it where entries are ranked, else beside ``held()``."""
        ranking = self.settings.improvements.effective(self.settings.entries.ranking)
        if ranking == "on" and pair in self._limits:
            return self._limits[pair]
        return self._entry_limits(pair, direction, held())

    def _refuses(self, candidate: Candidate, held: list[Position]) -> bool:
        improvements = self.settings.improvements
        if improvements.mode_of(improvements.correlation_filter, candidate.pair) == "off":
            return False
        limits = self._entry_limits(candidate.pair, candidate.direction, held)
        self._limits[candidate.pair] = limits
        return self.limit_acts(candidate.pair) and any(limit.refuses for limit in limits)

    def _entry_limits(self, pair: str, direction: int, held: Iterable[Position]) -> list[Limit]:
        s = self.settings.improvements.correlation_filter
        return entry_limits(pair, direction, held, self.correlations.of(pair, self.time, s), s)
