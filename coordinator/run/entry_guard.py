"""Checks an entry before it is ordered: the portfolio's limits, and whether better signals get the slots."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from coordinator.decision.pair_records import PairChange
from coordinator.ledger.records import ImprovementRow
from coordinator.portfolio.correlation_cache import CorrelationCache
from coordinator.portfolio.entry_round import EntryRound, Slots
from coordinator.portfolio.guard import Limit
from coordinator.run.filter_trust import FilterTrust
from coordinator.run.improvements import log_failure
from coordinator.run.trading_run import TradingRun
from coordinator.run.trust_report import TrustReport
from coordinator.settings import Mode, Settings

__all__ = ["CORRELATION_FILTER", "RANKING", "EntryCheck", "EntryGuard"]

CORRELATION_FILTER = "correlation_filter"
RANKING = "ranking"


@dataclass(frozen=True)
class EntryCheck:
    """Whether an entry may be made, what the ledger keeps of the check and what the log says.

    Rows, lines and alerts are filled the first time a candle's entry is checked: a bot asks again and again while the
    candle lasts.
    """

    allowed: bool = True
    rows: tuple[ImprovementRow, ...] = ()
    log_lines: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()


@dataclass
class EntryGuard:
    """The correlation filter of spec 003 and the ranking of entries, each in its mode.

    Returns are aligned once per set of analyses, without pandas; candles without an entry cost nothing.

    Attributes
    ----------
    trust : whether the filter may refuse; None: always
    checked, refused : entries checked, and those refused (in shadow mode: that would have been) by name of the limit
    """

    run: TradingRun
    trust: FilterTrust | None = None
    checked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    correlations: CorrelationCache = field(init=False)
    _reported: tuple[int, set[str]] = field(default_factory=lambda: (0, set()))
    _round: EntryRound | None = None

    def __post_init__(self) -> None:
        self.correlations = CorrelationCache(self.run.market)

    def check(self, pair: str, direction: int, time: int, slots: Slots, settings: Settings) -> EntryCheck:
        """Whether a pair may be entered.

        Parameters
        ----------
        time : open time of the last closed candle
        slots : not read where everything is off
        """
        improvements = settings.improvements
        limiting = improvements.mode_of(improvements.correlation_filter, pair)
        ranking = improvements.effective(settings.entries.ranking)
        if limiting == ranking == "off":
            return EntryCheck()
        try:
            changes = self.trust.begin_day(time) if self.trust is not None and limiting != "off" else []
            entries = self._round_of(time, slots, settings)
            if ranking != "off":
                entries.rank(pair, lambda: self.run.entry_candidates(time, settings), slots)
            rank = entries.rank_of(pair)
            limits = entries.limits(pair, direction, slots.held) if limiting != "off" else []
        except Exception as error:
            name = CORRELATION_FILTER if limiting != "off" else RANKING
            log_failure(name, f"{type(error).__name__}: {error}")
            return EntryCheck()
        check = self._result(pair, entries, limiting, limits, ranking, rank)
        return _with_trust_changes(check, changes, limiting)

    def _limit_acts(self, pair: str, settings: Settings) -> bool:
        """Whether a limit that refuses a pair is obeyed."""
        improvements = settings.improvements
        mode = improvements.mode_of(improvements.correlation_filter, pair)
        return mode == "on" and (self.trust is None or self.trust.acts(pair))

    def _round_of(self, time: int, slots: Slots, settings: Settings) -> EntryRound:
        entries = self._round
        if entries is None or entries.time != time or entries.settings != settings:
            entries = self._round = EntryRound.begin(
                time, slots, settings, self.correlations, lambda pair: self._limit_acts(pair, settings)
            )
        return entries

    def _result(
        self,
        pair: str,
        entries: EntryRound,
        limiting: Mode,
        limits: list[Limit],
        ranking: Mode,
        rank: int | None,
    ) -> EntryCheck:
        refusing = [limit for limit in limits if limit.refuses]
        left = entries.left.get(pair)
        outranked = left is not None or (
            rank is not None and entries.free is not None and rank > entries.free
        )
        allowed = not (refusing and self._limit_acts(pair, entries.settings)) and (
            ranking != "on" or not outranked
        )
        if self._reported[0] != entries.time:
            self._reported = entries.time, set()
        if pair in self._reported[1]:
            return EntryCheck(allowed)
        self._reported[1].add(pair)
        self.checked += 1
        self.refused.update(limit.name for limit in refusing)
        if self.trust is not None and limits:
            self.trust.add_check(entries.time, pair, bool(refusing))
        rows = [
            ImprovementRow(pair, limit.name, limiting, float(limit.allowed), float(limit.held))
            for limit in limits
        ]
        log_lines = [
            f"{pair}: the entry is {_verb(limiting)} by {limit.name}: {limit.reason}" for limit in refusing
        ]
        if outranked:
            row, reason = _outranked(pair, entries, ranking, rank)
            self.refused[RANKING] += 1
            rows.append(row)
            log_lines.append(f"{pair}: the entry is {_verb(ranking)} by ranking: {reason}")
        return EntryCheck(allowed, tuple(rows), tuple(log_lines))


def _outranked(pair: str, entries: EntryRound, mode: Mode, rank: int | None) -> tuple[ImprovementRow, str]:
    """The ledger's row of an entry that lost (its rank; for no slot where the policy leaves it), and why."""
    left = entries.left.get(pair)
    if left is not None:
        last = float(len(entries.ranks) + 1)
        why = f"the policy that divides the slots leaves it, P(take) {left:.0%}"
        return ImprovementRow(pair, RANKING, mode, 0.0, last), why
    rank, free = rank or 0, entries.free or 0
    place = f"number {rank} of {len(entries.ranks)} for {free} free slots"
    return ImprovementRow(pair, RANKING, mode, float(free), float(rank)), place


def _with_trust_changes(check: EntryCheck, changes: list[PairChange], mode: Mode) -> EntryCheck:
    """The same with what changed in the filter's trust."""
    reports = [TrustReport.of(CORRELATION_FILTER, mode, change) for change in changes]
    return replace(
        check,
        rows=(*check.rows, *(report.row for report in reports)),
        log_lines=(*check.log_lines, *(report.log_line for report in reports)),
        alerts=tuple(report.alert for report in reports if report.alert),
    )


def _verb(mode: Mode) -> str:
    return "refused" if mode == "on" else "let through in shadow mode, though refused"
