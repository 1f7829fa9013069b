"""Asks the portfolio's guard before an entry, with Freqtrade's open trades and the analysed pairs' candles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from coordinator.adapters.board import SignalBoard
from coordinator.adapters.improvements import failed
from coordinator.ledger.records import ImprovementRow
from coordinator.portfolio.correlation import ReturnPanel
from coordinator.portfolio.guard import Limit, Position, entry_limits
from coordinator.settings import CorrelationFilterSettings, Mode, Settings
from coordinator.types import Floats

__all__ = ["CORRELATION_FILTER", "EntryGuard", "Verdict"]

CORRELATION_FILTER = "correlation_filter"


@dataclass(frozen=True)
class Verdict:
    """Whether an entry may be made, what the ledger keeps of the question and what the log says.

    Rows and lines are there the first time that a candle's entry is asked for: a bot asks again and again while the
    candle lasts.
    """

    allowed: bool = True
    rows: tuple[ImprovementRow, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass
class EntryGuard:
    """The correlation filter of spec 003 in its mode.

    Correlations are worked out when a candle is first asked for, one matrix for all pairs, from returns laid side by
    side once per set of analyses: a backtest's callbacks touch no pandas and candles without an entry cost nothing.

    Attributes
    ----------
    asked, refused : entries asked for, and those that it refused (in shadow mode: would have)
    """

    board: SignalBoard
    asked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _panel: ReturnPanel | None = None
    _matrix: tuple[int, int, Floats] | None = None
    _told: tuple[int, set[str]] = field(default_factory=lambda: (0, set()))

    def ask(
        self,
        pair: str,
        direction: int,
        time: int,
        held: Callable[[], Iterable[Position]],
        settings: Settings,
    ) -> Verdict:
        """Whether a pair may be entered.

        Parameters
        ----------
        time : open time of the last closed candle
        held : gives the positions, open orders included; not called where the filter is off
        """
        mode = settings.improvements.mode_of(settings.improvements.correlation_filter, pair)
        if mode == "off":
            return Verdict()
        try:
            s = settings.improvements.correlation_filter
            limits = entry_limits(pair, direction, held(), self._correlations(pair, time, s), s)
        except Exception as error:
            failed(CORRELATION_FILTER, f"{type(error).__name__}: {error}")
            return Verdict()
        return self._verdict(pair, time, mode, limits)

    def _verdict(self, pair: str, time: int, mode: Mode, limits: list[Limit]) -> Verdict:
        refusing = [limit for limit in limits if limit.refuses]
        allowed = mode != "on" or not refusing
        if self._told[0] != time:
            self._told = time, set()
        if pair in self._told[1]:
            return Verdict(allowed)
        self._told[1].add(pair)
        self.asked += 1
        self.refused.update(limit.name for limit in refusing)
        word = "refused" if mode == "on" else "let through in shadow mode, though refused"
        return Verdict(
            allowed,
            tuple(ImprovementRow(pair, x.name, mode, float(x.allowed), float(x.found)) for x in limits),
            tuple(f"{pair}: the entry is {word} by {x.name}: {x.reason}" for x in refusing),
        )

    def _correlations(self, pair: str, time: int, settings: CorrelationFilterSettings) -> dict[str, float]:
        """Of a pair with each other analysed pair, as they were last refreshed."""
        panel = self.board.panel()
        interval = settings.update_minutes * 60
        moment = time // interval * interval
        if panel is not self._panel or self._matrix is None or self._matrix[:2] != (moment, settings.window):
            self._panel = panel
            self._matrix = moment, settings.window, panel.correlations(moment, settings.window)
        if pair not in panel.pairs:
            return {}
        row = self._matrix[2][panel.pairs.index(pair)].tolist()
        return dict(zip(panel.pairs, row, strict=True))
