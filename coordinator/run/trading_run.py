"""One run of a strategy, in a backtest and in a bot: the market, its decisions, and what the ledger keeps of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from coordinator.decision.decisions import Decisions
from coordinator.decision.history import SignalHistory
from coordinator.decision.table import SignalTable
from coordinator.ledger.records import CandleRecord
from coordinator.portfolio.ranking import Candidate
from coordinator.run.backtest_decisions import BacktestDecisions
from coordinator.run.history import summarise_history
from coordinator.run.improvement_trust import TrustedImprovements
from coordinator.run.improvements import ADAPTIVE_THRESHOLDS, EARNED_RISK, Improvement
from coordinator.run.learning_records import merge_records, signal_records
from coordinator.run.live.decisions import LiveDecisions
from coordinator.run.market import AnalysedMarket
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.run.signal_frame import signal_frame
from coordinator.run.trust_report import trust_reports
from coordinator.settings import Settings
from coordinator.signals.clock import pair_of

__all__ = ["TradingRun"]

MIN_DAYS = 1 / 24  # a trade lasts a candle at least


class TradingRun:
    """Decides on the signals of all analysed pairs together.

    In a backtest every pair is analysed before the first decision is needed; live, a pair's new candle replaces its
    old analysis and the next call decides anew. Pickles with the strategy (hyperopt sends it to its workers).

    Attributes
    ----------
    market : the pairs' analyses
    improvements : the improvements' numbers, as far as each is trusted
    latest : the newest signals with their decisions, for readers in other threads; None before the first
    """

    def __init__(self, can_short: bool) -> None:
        self.market = AnalysedMarket()
        self.improvements = TrustedImprovements(self.market)
        self._can_short = can_short
        self._backtest = BacktestDecisions(can_short)
        self._live: LiveDecisions | None = None
        self._decided: tuple[int, Settings, Decisions] | None = None
        self._fast_start: CandleRecord | None = None
        self.latest: tuple[SignalTable, Decisions] | None = None

    @property
    def needs_history(self) -> bool:
        """Whether signals of before the run would be learned from: a bot that continues has learned from them."""
        return self._live is None or not self._live.continues

    def learn_first(self, before: SignalHistory, settings: Settings) -> str:
        """Learn from signals of before the run, before its own; what became of ML's say on them, in words."""
        record = summarise_history(before, settings, can_short=self._can_short)
        if self._live is None:
            self._backtest.before, self._fast_start = before, record
        else:
            self._live.fold.before = before
            self._live.ledger.write_record(record)
        row = record.weights[0]
        return f"{row.reason}; phase {row.phase}, ML weight {row.ml_weight:.0%}"

    def start_live(self, live: LiveDecisions) -> None:
        """Decide candle by candle from now on, with the state in a bot's ledger (dry-run and live)."""
        self._live = live
        self.improvements.start_live(live)

    def put(self, analysis: PairAnalysis) -> None:
        """Add or replace a pair's analysis."""
        self.market.put(analysis)

    def decisions(self, settings: Settings) -> Decisions:
        """Decisions on ``market.signals()``; computed once per set of analyses and settings."""
        decided = self._decided
        if decided is None or decided[0] != self.market.version or decided[1] != settings:
            signals = self.market.signals(settings)
            if self._live is None:
                self._decided = self.market.version, settings, self._backtest.decide(signals, settings)
            else:
                self._decide_live(self._live, settings)
            decided = self._decided
            assert decided is not None
            self.latest = signals, decided[2]
        return decided[2]

    def _decide_live(self, live: LiveDecisions, settings: Settings) -> None:
        signals, now = self.market.signals(settings), self.market.last_candle()
        self._decided = self.market.version, settings, live.decide(signals, now)
        frame_of, records_of = partial(self.ledger_frame, settings), partial(self._signal_records, settings)
        live.write(signals, frame_of, records_of, now)

    def is_decided(self, settings: Settings) -> bool:
        """Whether ``decisions`` would only give what was decided already."""
        decided = self._decided
        return decided is not None and decided[0] == self.market.version and decided[1] == settings

    def series_decisions(self, series: str, settings: Settings) -> Decisions:
        """Decisions on a series' own signals, in their order."""
        return self.decisions(settings).rows(self.market.rows_of(series, settings))

    # --- improvements -----------------------------------------------------------------------------------------

    def all_improvements(self, settings: Settings) -> dict[str, Improvement]:
        """Numbers of ``market.signals()`` without and with each improvement that is not off.

        As far as each is trusted at its signal; NaN where it is off.
        """
        signals, improvements = self.market.signals(settings), dict(self.improvements.values(settings))
        if settings.thresholds.mode != "off":
            base = np.full(len(signals), settings.decision.threshold)
            adaptive = self.decisions(settings).adaptive_threshold
            improvements[ADAPTIVE_THRESHOLDS] = Improvement(settings.thresholds.mode, base, adaptive)
        if settings.sizing.earned.mode != "off":
            share = self.decisions(settings).risk_share
            improvements[EARNED_RISK] = Improvement(settings.sizing.earned.mode, np.ones(len(signals)), share)
        return improvements

    def series_improvements(self, series: str, settings: Settings) -> dict[str, Improvement]:
        """A series' own signals' numbers, those of improvements that are not off for it."""
        rows, own = self.market.rows_of(series, settings), self.market.analysis(series).improvements
        return {
            name: Improvement(own[name].mode, values.base[rows], values.adjusted[rows])
            for name, values in self.improvements.values(settings).items()
            if name in own
        }

    # --- entries ----------------------------------------------------------------------------------------------

    def entry_candidates(self, time: int, settings: Settings) -> list[Candidate]:
        """The accepted signals of a candle, of all pairs and clocks.

        Where several clocks compete, what counts is the expected R per day in the trade: a slot is taken for so long.
        """
        signals, decided = self.market.signals(settings), self.decisions(settings)
        several = len(settings.clock_names) > 1
        expected = (
            decided.expected_r / np.maximum(decided.expected_days, MIN_DAYS)
            if several
            else decided.expected_r
        )
        first, last = np.searchsorted(signals.time, (time, time + 1)).tolist()
        return [
            Candidate(
                pair_of(signals.pairs[signals.pair[i]]),
                int(signals.direction[i]),
                float(expected[i]),
                float(decided.confidence[i]),
                self.market.slot_terms(signals.pairs[signals.pair[i]], time),
            )
            for i in range(first, last)
            if decided.rejection[i] == 0
        ]

    # --- for the ledger ---------------------------------------------------------------------------------------

    def ledger_frame(self, settings: Settings, rows: Sequence[int] | None = None) -> pd.DataFrame:
        """One row per signal, or for some of them, as ``coordinator.ledger`` stores it."""
        signals, decided = self.market.signals(settings), self.decisions(settings)
        return signal_frame(self.market.analyses, signals, decided, settings, rows)

    def learning_records(self, settings: Settings) -> list[CandleRecord]:
        """How a backtest's learners changed, and which components and improvements its signals had."""
        rows = range(len(self.market.signals(settings)))
        signals = self._signal_records(settings, rows)
        trust = [
            CandleRecord(time, improvements=(report.row,))
            for time, report in trust_reports(self.improvements.trust, settings)
        ]
        learned, final = self._backtest.history_records(), self._backtest.final_records()
        start = [] if self._fast_start is None else [self._fast_start]
        return list(merge_records((*start, *learned, *signals.values(), *trust, *final)))

    def _signal_records(self, settings: Settings, rows: range | list[int]) -> dict[int, CandleRecord]:
        signals, improvements = self.market.signals(settings), self.all_improvements(settings)
        return signal_records(signals, improvements, self.market.absence_reasons(settings), rows)
