"""Asks before an entry: the portfolio's limits, and whether better signals of the same candle want the slots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from coordinator.decision.trust import TrustChange
from coordinator.ledger.records import ImprovementRow
from coordinator.portfolio.correlation_cache import Correlations
from coordinator.portfolio.guard import Limit, Position, entry_limits
from coordinator.portfolio.ranking import Candidate, allot
from coordinator.run.board import SignalBoard
from coordinator.run.filter_trust import FilterTrust
from coordinator.run.improvements import failed
from coordinator.run.trust_report import Told
from coordinator.settings import Mode, Settings

__all__ = ["CORRELATION_FILTER", "RANKING", "EntryGuard", "Slots", "Verdict"]

CORRELATION_FILTER = "correlation_filter"
RANKING = "ranking"


@dataclass(frozen=True)
class Verdict:
    """Whether an entry may be made, what the ledger keeps of the question and what the log says.

    Rows, lines and alerts are there the first time that a candle's entry is asked for: a bot asks again and again
    while the candle lasts.
    """

    allowed: bool = True
    rows: tuple[ImprovementRow, ...] = ()
    lines: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slots:
    """What Freqtrade knows of its slots.

    Attributes
    ----------
    held : gives the positions, open orders included
    limit : positions at most; None without a limit
    locked : whether a pair is locked for a direction
    """

    held: Callable[[], Iterable[Position]]
    limit: int | None = None
    locked: Callable[[str, int], bool] = lambda pair, direction: False


@dataclass
class _Candle:
    """The entries of one candle: who holds, who wants in, and who wins; limits are found once a pair."""

    time: int
    held: list[Position]
    free: int | None
    settings: Settings
    ranks: dict[str, int] = field(default_factory=dict)
    limits: dict[str, list[Limit]] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)


@dataclass
class EntryGuard:
    """The correlation filter of spec 003 and the ranking of entries, each in its mode.

    Returns are laid side by side once per set of analyses: a backtest's callbacks touch no pandas and candles without
    an entry cost nothing.
    The positions that count are those before the candle's first entry and the winners before a pair, so that the
    pair list's order decides nothing.

    Attributes
    ----------
    trust : whether the filter may refuse; None: always
    asked, refused : entries asked for, and those that it refused (in shadow mode: would have)
    """

    board: SignalBoard
    trust: FilterTrust | None = None
    asked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    correlations: Correlations = field(init=False)
    _told: tuple[int, set[str]] = field(default_factory=lambda: (0, set()))
    _candle: _Candle | None = None

    def __post_init__(self) -> None:
        self.correlations = Correlations(self.board)

    def ask(self, pair: str, direction: int, time: int, slots: Slots, settings: Settings) -> Verdict:
        """Whether a pair may be entered.

        Parameters
        ----------
        time : open time of the last closed candle
        slots : not asked where everything is off
        """
        improvements = settings.improvements
        limiting = improvements.mode_of(improvements.correlation_filter, pair)
        ranking = improvements.effective(settings.entries.ranking)
        if limiting == ranking == "off":
            return Verdict()
        try:
            changes = self.trust.advance(time) if self.trust is not None and limiting != "off" else []
            candle = self._candle_of(pair, direction, time, slots, settings, ranking)
            rank = candle.ranks.get(pair) if pair in candle.wanted else None
            limits = self._limits(candle, pair, direction, ranking, slots) if limiting != "off" else []
        except Exception as error:
            failed(CORRELATION_FILTER if limiting != "off" else RANKING, f"{type(error).__name__}: {error}")
            return Verdict()
        return _told(self._verdict(pair, candle, limiting, limits, ranking, rank), changes, limiting)

    def _acts(self, mode: Mode, pair: str) -> bool:
        """Whether a limit that refuses is obeyed."""
        return mode == "on" and (self.trust is None or self.trust.acts(pair))

    def _candle_of(
        self, pair: str, direction: int, time: int, slots: Slots, settings: Settings, ranking: Mode
    ) -> _Candle:
        """This candle's entries; worked out anew where a pair arrives late (a bot's)."""
        candle = self._candle
        if candle is None or candle.time != time or candle.settings != settings:
            held = list(slots.held())
            free = None if slots.limit is None else max(0, slots.limit - len(held))
            candle = self._candle = _Candle(time, held, free, settings)
        if ranking == "off" or candle.free is None or pair in candle.wanted:
            return candle
        holding = {position.pair for position in candle.held}
        wanted = [
            x
            for x in self.board.accepted_at(time, settings)
            if x.pair not in holding and not slots.locked(x.pair, x.direction)
        ]
        candle.wanted = {x.pair for x in wanted}
        candle.limits.clear()
        candle.ranks = allot(wanted, candle.held, candle.free, lambda x, held: self._refuses(candle, x, held))
        return candle

    def _refuses(self, candle: _Candle, x: Candidate, held: list[Position]) -> bool:
        improvements = candle.settings.improvements
        mode = improvements.mode_of(improvements.correlation_filter, x.pair)
        if mode == "off":
            return False
        limits = self._entry_limits(candle, x.pair, x.direction, held)
        candle.limits[x.pair] = limits
        return self._acts(mode, x.pair) and any(limit.refuses for limit in limits)

    def _limits(self, candle: _Candle, pair: str, direction: int, ranking: Mode, slots: Slots) -> list[Limit]:
        """Beside the winners before it where entries are ranked, else beside what is held now."""
        if ranking == "on" and pair in candle.limits:
            return candle.limits[pair]
        return self._entry_limits(candle, pair, direction, slots.held())

    def _entry_limits(
        self, candle: _Candle, pair: str, direction: int, held: Iterable[Position]
    ) -> list[Limit]:
        s = candle.settings.improvements.correlation_filter
        return entry_limits(pair, direction, held, self.correlations.of(pair, candle.time, s), s)

    def _verdict(
        self, pair: str, candle: _Candle, limiting: Mode, limits: list[Limit], ranking: Mode, rank: int | None
    ) -> Verdict:
        refusing = [limit for limit in limits if limit.refuses]
        beaten = rank is not None and candle.free is not None and rank > candle.free
        allowed = not (refusing and self._acts(limiting, pair)) and (ranking != "on" or not beaten)
        if self._told[0] != candle.time:
            self._told = candle.time, set()
        if pair in self._told[1]:
            return Verdict(allowed)
        self._told[1].add(pair)
        self.asked += 1
        self.refused.update(limit.name for limit in refusing)
        if self.trust is not None and limits:
            self.trust.asked(candle.time, pair, bool(refusing))
        rows = [ImprovementRow(pair, x.name, limiting, float(x.allowed), float(x.found)) for x in limits]
        lines = [f"{pair}: the entry is {_word(limiting)} by {x.name}: {x.reason}" for x in refusing]
        if beaten:
            rank, free = rank or 0, candle.free or 0
            self.refused[RANKING] += 1
            rows.append(ImprovementRow(pair, RANKING, ranking, float(free), float(rank)))
            place = f"number {rank} of {len(candle.ranks)} for {free} free slots"
            lines.append(f"{pair}: the entry is {_word(ranking)} by ranking: {place}")
        return Verdict(allowed, tuple(rows), tuple(lines))


def _told(verdict: Verdict, changes: list[TrustChange], mode: Mode) -> Verdict:
    """The same with what changed in the filter's trust."""
    told = [Told.of(CORRELATION_FILTER, mode, change) for change in changes]
    return replace(
        verdict,
        rows=(*verdict.rows, *(x.row for x in told)),
        lines=(*verdict.lines, *(x.line for x in told)),
        alerts=tuple(x.alert for x in told if x.alert),
    )


def _word(mode: Mode) -> str:
    return "refused" if mode == "on" else "let through in shadow mode, though refused"
