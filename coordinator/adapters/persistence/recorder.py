"""What a strategy says beside its orders: its ledger, its log, its alerts and the record of its trades."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from freqtrade.enums import RunMode
from freqtrade.persistence import Trade

from coordinator.adapters.persistence.plan_book import Plan
from coordinator.adapters.persistence.trade_rows import intended_row, trade_row, unfilled
from coordinator.components.model_files import ModelVerdict
from coordinator.ledger.records import CandleRecord, ImprovementRow
from coordinator.ledger.trades import TradeRow
from coordinator.run.backtest_ledger import append_to_ledger, write_run_ledger
from coordinator.run.board import SignalBoard
from coordinator.run.entry_guard import EntryGuard, Verdict
from coordinator.run.explanation import describe, explain
from coordinator.run.improvement_trust import told
from coordinator.run.learning_records import together
from coordinator.run.live_ledger import LiveRun
from coordinator.settings import Settings

__all__ = ["DECISION_KEY", "Recorder"]

logger = logging.getLogger(__name__)

DECISION_KEY = "coordinator decision"
"""Custom data of a trade: what it was entered on (FreqUI and ``/trades/{id}/custom-data`` show it)."""


class Recorder:
    """Writes down what the board decided.

    Parameters
    ----------
    config : Freqtrade's
    strategy : its class name
    board : SignalBoard
    """

    def __init__(self, config: dict[str, Any], strategy: str, board: SignalBoard) -> None:
        self._config, self._strategy, self._board = config, strategy, board
        self._run: LiveRun | None = None
        self._written: int | None = None
        self._told: int | None = None
        self._trust_told: int | None = None
        self.verdicts: list[ModelVerdict] = []  # of the models that voted, set by strategies with ML
        self._silent: dict[tuple[str, str], str] = {}
        self._waiting: dict[tuple[int, str], TradeRow] = {}
        self._compared: int | None = None
        self._entries: list[CandleRecord] = []  # a backtest's, until its last candle
        self._ledger: tuple[Path, int] | None = None
        self._end = 0

    def go_live(self, run: LiveRun) -> None:
        """Keep trades in a bot's ledger from now on."""
        self._run = run

    def decided(self, pair: str, settings: Settings, send: Callable[[str], None]) -> None:
        """Called when a pair's signals have been decided: the ledger of a backtest, or a bot's log and alerts."""
        if self._run is not None:
            self._log_decision(pair, settings)
            self._log_absences(pair, settings)
            self._alert(self._run, send)
            self._tell_trust(self._run, settings, send)
            self._run.register(self.verdicts)
        elif self._config.get("runmode") == RunMode.BACKTEST:
            self._write_ledger(settings)

    def _write_ledger(self, settings: Settings) -> None:
        """The decision ledger of a backtest, once per set of signals."""
        table = self._board.table(settings)
        if self._written == id(table):
            return
        self._written = id(table)
        learned = self._board.learned(settings)
        for name, count in Counter(d.component for x in learned for d in x.drops).items():
            reasons = Counter(d.reason for x in learned for d in x.drops if d.component == name)
            why = ", ".join(f"{reason}: {n}" for reason, n in reasons.most_common())
            logger.warning("%s was absent at %d of %d signals (%s)", name, count, len(table), why)
        frame = self._board.ledger_frame(settings)
        times = table.time if len(table) else np.zeros(1, dtype=np.int64)
        mine = [x for x in self.verdicts if times[0] <= x.time <= times[-1]]  # of this timerange
        self._ledger = write_run_ledger(self._config, self._strategy, frame, settings, learned, mine)
        self._entries, self._end = [], self._board.last_candle()

    def _row(self, pair: str, settings: Settings, time: int) -> int | None:
        """Row of a pair's signal at a candle."""
        table = self._board.table(settings)
        found = np.flatnonzero(self._board.rows_of(pair, settings) & (table.time == time))
        return int(found[0]) if len(found) else None

    def _log_decision(self, pair: str, settings: Settings) -> None:
        """The decision on the last candle in words, once."""
        analysis = self._board.analysis(pair)
        if not len(analysis.index) or analysis.index[-1] != len(analysis.candles) - 1:
            return
        row = self._row(pair, settings, int(analysis.candles.time[-1]))
        if row is not None:
            table, decided = self._board.table(settings), self._board.decisions(settings)
            for line in explain(table, decided, row, analysis.technical.reasons(int(analysis.index[-1]))):
                logger.info(line)
            for name, x in self._board.improved(settings).items():
                if x.adjusted[row] == x.adjusted[row]:
                    logger.info("  %s (%s): %.3g -> %.3g", name, x.mode, x.base[row], x.adjusted[row])

    def _log_absences(self, pair: str, settings: Settings) -> None:
        """A component that falls silent, and one that speaks again, once each."""
        for component, reasons in self._board.analysis(pair).absences.items():
            now = str(reasons[-1]) if len(reasons) else ""
            before = self._silent.get((pair, component), "")
            if now and now != before:
                logger.warning("%s: %s is absent (%s); the others decide", pair, component, now)
            elif before and not now:
                logger.info("%s: %s votes again", pair, component)
            self._silent[pair, component] = now

    def _alert(self, run: LiveRun, send: Callable[[str], None]) -> None:
        """Tell of cuts and breakers, those of the warm start left out."""
        reviews = run.fold.fold.learners.history.reviews
        told, self._told = self._told, len(reviews)
        for review in reviews[told:] if told is not None else ():
            if review.weight_after < review.weight_before:
                send(
                    f"Coordinator: ML weight {review.weight_before:.0%} -> {review.weight_after:.0%}, "
                    f"phase {review.phase_after}: {review.reason}"
                )

    def _tell_trust(self, run: LiveRun, settings: Settings, send: Callable[[str], None]) -> None:
        """Write what changed in the improvements' trust; alert of one that was switched off, the warm start aside."""
        trust, seen = self._board.trust, self._trust_told or 0
        if trust is None or len(trust.changes) == seen or run.fold.warming(self._board.last_candle()):
            return
        changes = told(trust, settings, seen)
        for record in together(CandleRecord(time, improvements=(x.row,)) for time, x in changes):
            run.write_improvements(record)
        for _, x in changes if self._trust_told is not None else ():
            logger.info(x.line)
            if x.alert:
                send(x.alert)
        self._trust_told = len(trust.changes)

    # --- entries ----------------------------------------------------------------------------------------------

    def asked(self, time: int, verdict: Verdict) -> None:
        """Keep what an entry was held against: at once in a bot, at the end of a backtest, not in hyperopt."""
        if not verdict.rows:
            return
        record = CandleRecord(time, improvements=verdict.rows)
        if self._run is not None:
            for line in verdict.lines:
                logger.info(line)
            self._run.write_improvements(record)
        elif self._end:
            self._entries.append(record)

    def noted(self, time: int, row: ImprovementRow, words: str) -> None:
        """Keep what a rule in shadow mode would have done."""
        self.asked(time, Verdict(rows=(row,), lines=(words,)))

    def refused(self, pair: str, reason: str) -> None:
        """An entry was refused for the portfolio's sake: a bot's log says so once per pair and reason."""
        if self._run is not None and self._silent.get((pair, "portfolio")) != reason:
            self._silent[pair, "portfolio"] = reason
            logger.info("%s: the entry is refused: %s", pair, reason)

    def end_of_backtest(self, now: datetime, guard: EntryGuard) -> None:
        """Complete a backtest's ledger at its last candle, on which Freqtrade enters nothing."""
        if not self._entries or now.timestamp() < self._end:
            return
        refused = ", ".join(f"{name} {count}" for name, count in sorted(guard.refused.items())) or "none"
        modes = "/".join(sorted({row.mode for record in self._entries for row in record.improvements}))
        logger.info("Entries asked for: %d; refused (%s): %s", guard.asked, modes, refused)
        if self._ledger is not None:
            append_to_ledger(*self._ledger, together(self._entries))
        self._entries = []

    # --- trades -----------------------------------------------------------------------------------------------

    def intended(self, pair: str, plan: Plan | None, side: int, now: datetime, signal_time: int) -> None:
        """An entry is about to be ordered (a bot's only)."""
        if self._run is not None:
            row = intended_row(pair, plan, side, now, signal_time)
            self._waiting[row.time, pair] = row
            self._run.write_trade(row)

    def filled(self, trade: Trade, plan: Plan, settings: Settings, signal_time: int) -> None:
        """An order of a trade was filled (a bot's only)."""
        if self._run is None:
            return
        self._waiting.pop((signal_time, trade.pair), None)
        self._run.write_trade(trade_row(trade, plan, signal_time))
        row = self._row(trade.pair, settings, signal_time) if trade.nr_of_successful_entries == 1 else None
        if row is not None and trade.is_open and trade.get_custom_data(DECISION_KEY) is None:
            table, decided = self._board.table(settings), self._board.decisions(settings)
            trade.set_custom_data(DECISION_KEY, describe(table, decided, row))

    def reconcile(
        self, now: datetime, plan_of: Callable[[Trade], Plan], last_closed: Callable[[datetime], int]
    ) -> None:
        """Bring the ledger's trades up to date after a restart or an outage; close entries that never filled."""
        if self._run is None:
            return
        candle = last_closed(now)
        if self._run.trades_stale and candle != self._compared:
            self._compared = candle  # while the ledger is out, once a candle is often enough
            self._run.trades_stale = False  # a write that fails sets it again
            still_open = self._run.open_trades()
            for trade in Trade.get_trades_proxy():
                key = (last_closed(trade.open_date_utc), trade.pair)
                if (trade.is_open or key in still_open) and trade.nr_of_successful_entries:
                    self._run.write_trade(trade_row(trade, plan_of(trade), key[0]))
        if self._waiting:
            held = {trade.pair for trade in Trade.get_open_trades()}
            for key, row in list(self._waiting.items()):
                if row.pair not in held and row.opened_at < now:
                    self._run.write_trade(unfilled(row, now))
                    del self._waiting[key]
