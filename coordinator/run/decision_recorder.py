"""Writes down what a run decided: a backtest's ledger, a bot's log and alerts, and the checks of its entries."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from coordinator.components.absence import BEFORE
from coordinator.components.model_files import ModelVerdict, speaking_models
from coordinator.ledger.records import CandleRecord, ImprovementRow
from coordinator.run.backtest_ledger import append_to_ledger, write_backtest_ledger
from coordinator.run.collection.collector import SampleCollector
from coordinator.run.collection.drift import DriftWatch
from coordinator.run.entry_guard import EntryCheck
from coordinator.run.explanation import describe, explain
from coordinator.run.learning_records import merge_records
from coordinator.run.live.decisions import LiveDecisions
from coordinator.run.trading_run import TradingRun
from coordinator.run.trust_report import trust_reports
from coordinator.settings import Settings
from coordinator.settings.alerts import AlertKind, Tell

if TYPE_CHECKING:  # a run without ML trains nothing: it needs no torch
    from coordinator.components.composite import Composite

__all__ = ["DecisionRecorder"]

logger = logging.getLogger(__name__)


class ComponentModel(Protocol):
    """What is asked of a model that trains components."""

    @property
    def verdicts(self) -> Sequence[ModelVerdict]:
        """What became of every training, oldest first."""

    @property
    def composite(self) -> Composite:
        """Its components."""

    @property
    def component_columns(self) -> Mapping[str, tuple[str, ...]]:
        """Columns of each component in the frame of predictions."""


class DecisionRecorder:
    """Records decisions, absent components, trust and entry checks.

    Parameters
    ----------
    config : Freqtrade's
    strategy : its class name
    run : TradingRun
    is_backtest : whether a decision ledger is written beside Freqtrade's result

    Attributes
    ----------
    model_verdicts : of the models that voted, set by strategies with ML
    standing_models : champions that were trained before the run, likewise
    collector : keeps what models learn from; None where nothing is kept
    refusals : a bot's: of each pair when an entry was refused last (open of its signal's candle), and why
    """

    def __init__(self, config: dict[str, Any], strategy: str, run: TradingRun, *, is_backtest: bool) -> None:
        self._config, self._strategy, self._run = config, strategy, run
        self._is_backtest = is_backtest
        self._live: LiveDecisions | None = None
        self.model_verdicts: list[ModelVerdict] = []
        self.standing_models: list[ModelVerdict] = []
        self.collector: SampleCollector | None = None
        self.refusals: dict[str, tuple[int, str]] = {}
        # A backtest's
        self._written: int | None = None
        self._ledger: tuple[Path, int] | None = None
        self._entries: list[CandleRecord] = []  # until its last candle
        self._end = 0
        # A bot's
        self._reviews_sent: int | None = None
        self._trust_changes_sent: int | None = None
        self._last_reason: dict[tuple[str, str], str] = {}
        self._failed_learners: set[str] = set()
        self._drift: DriftWatch | None = None

    def start_live(self, live: LiveDecisions) -> None:
        """Log, alert and write to a bot's ledger from now on."""
        self._live, self._drift = live, DriftWatch(self._config)

    def follow_models(self, pair: str, predicted: pd.DataFrame, model: ComponentModel) -> None:
        """Keep which models vote, and what they said on a pair's candles."""
        self.model_verdicts, self.standing_models = (
            list(model.verdicts),
            list(model.composite.standing_models),
        )
        if self.collector is not None:
            self.collector.put_predictions(pair, predicted, model.component_columns)

    def record_decisions(
        self, pair: str, settings: Settings, tell: Tell, retrain: Callable[[], None]
    ) -> None:
        """Called when a pair's signals have been decided: the ledger of a backtest, or a bot's log and alerts.

        Parameters
        ----------
        retrain : called where a bot's ML has just fallen back to shadow, or its models have drifted
        """
        if self._live is not None:
            self._log_decision(pair, settings)
            self._log_absences(pair)
            self._tell_weight_changes(self._live, tell, retrain)
            self._log_failures(self._live)
            self._report_trust(self._live, settings, tell)
            self._live.ledger.register_models([*self.standing_models, *self.model_verdicts])
            if self.collector is not None and self._drift is not None:
                signals, now = self._run.market.signals(settings), self._run.market.last_candle()
                self.collector.write_live(self._live.ledger, signals, settings, now)
                self._drift.check(self._live.ledger.ledger, settings, now, tell, retrain)
        elif self._is_backtest:
            self._write_ledger(settings)

    def _write_ledger(self, settings: Settings) -> None:
        """The decision ledger of a backtest, once per set of signals."""
        signals = self._run.market.signals(settings)
        if self._written == id(signals):
            return
        self._written = id(signals)
        learned = self._run.learning_records(settings)
        all_drops = [drop for record in learned for drop in record.drops]
        before = Counter(drop.component for drop in all_drops if drop.reason == BEFORE)
        drops = [drop for drop in all_drops if drop.reason != BEFORE]
        for name, count in Counter(drop.component for drop in drops).items():
            reasons = Counter(drop.reason for drop in drops if drop.component == name)
            asked = len(signals) - before[name]
            text = ", ".join(f"{reason}: {n}" for reason, n in reasons.most_common())
            if any(drop.component == name and not drop.pair for drop in drops):
                logger.error("The learner %s failed on %d days (%s)", name, count, text)
            else:
                logger.warning("%s was absent at %d of %d signals (%s)", name, count, asked, text)
        frame = self._run.ledger_frame(settings)
        times = signals.time if len(signals) else np.zeros(1, dtype=np.int64)
        voted = [v for v in self.model_verdicts if times[0] <= v.time <= times[-1]]
        voted += speaking_models(self.standing_models, int(times[0]), int(times[-1]))
        self._ledger = write_backtest_ledger(self._config, self._strategy, frame, settings, learned, voted)
        if self._ledger is not None and self.collector is not None:
            self.collector.write_backtest(*self._ledger, signals, settings)
        self._entries, self._end = [], self._run.market.last_candle()

    # --- a bot's log and alerts -------------------------------------------------------------------------------

    def describe_signal(self, pair: str, settings: Settings, time: int) -> Mapping[str, Any] | None:
        """What a pair's signal at a candle was decided on, JSON types; None without a signal."""
        row = self._run.market.row_at(pair, time, settings)
        if row is None:
            return None
        signals = self._run.market.signals(settings)
        analysis = self._run.market.analysis(signals.pairs[signals.pair[row]])
        candle = int(np.searchsorted(analysis.candles.time, time))
        reasons = analysis.technical.reasons(candle)
        return {"reasons": reasons, **describe(signals, self._run.decisions(settings), row)}

    def _log_decision(self, pair: str, settings: Settings) -> None:
        """Log the decision on the last candle, once."""
        for analysis in self._run.market.of_pair(pair):
            last = len(analysis.candles) - 1
            if not len(analysis.index) or analysis.index[-1] != last:
                continue
            row = self._run.market.row_at(pair, int(analysis.candles.time[-1]), settings)
            if row is None:
                continue
            signals, decided = self._run.market.signals(settings), self._run.decisions(settings)
            for line in explain(signals, decided, row, analysis.technical.reasons(last)):
                logger.info(line)
            for name, value in self._run.all_improvements(settings).items():
                if value.adjusted[row] == value.adjusted[row]:
                    logger.info(
                        "  %s (%s): %.3g -> %.3g", name, value.mode, value.base[row], value.adjusted[row]
                    )

    def _log_absences(self, pair: str) -> None:
        """Log a component that becomes absent, of the first pair, and one that votes again, of the last, once each."""
        for component, reasons in self._run.market.analysis(pair).absence_reasons.items():
            now = str(reasons[-1]) if len(reasons) else ""
            before = self._last_reason.get((pair, component), "")
            elsewhere = {
                reason
                for (other, name), reason in self._last_reason.items()
                if name == component and other != pair
            }
            self._last_reason[pair, component] = now
            if now and now != before and now not in elsewhere:
                logger.warning("%s: %s is absent (%s); the others decide", pair, component, now)
            elif before and not now and not any(elsewhere):
                logger.info("%s: %s votes again", pair, component)

    def _tell_weight_changes(self, live: LiveDecisions, tell: Tell, retrain: Callable[[], None]) -> None:
        """Tell of changes of phase and weight, and have models retrained, those of the warm start left out."""
        reviews = live.fold.fold.learners.history.reviews
        # A bot that goes on from its ledger has no warm start: all its reviews are new.
        sent = 0 if self._reviews_sent is None and live.continues else self._reviews_sent
        self._reviews_sent = len(reviews)
        for review in reviews[sent:] if sent is not None else ():
            if review.is_rollback:
                retrain()
            before, after = review.weight_before, review.weight_after
            if (before, review.phase_before) != (after, review.phase_after):
                text = f"ML weight {before:.0%} -> {after:.0%}, phase {review.phase_after}: {review.reason}"
                kind: AlertKind = "breaker" if review.is_rollback else "weight"
                tell(kind, str(review.time), f"Coordinator: {text}")

    def _log_failures(self, live: LiveDecisions) -> None:
        """Log a learner that failed, once; the ledger counts the days."""
        for failure in live.fold.fold.learners.history.failures:
            if failure.learner not in self._failed_learners:
                self._failed_learners.add(failure.learner)
                logger.error("The learner %s raised %s: it begins anew", failure.learner, failure.error)

    def _report_trust(self, live: LiveDecisions, settings: Settings, tell: Tell) -> None:
        """Write the changes of the improvements' trust; alert of one that was switched off, the warm start aside."""
        trust, sent = self._run.improvements.trust, self._trust_changes_sent or 0
        if trust is None or len(trust.changes) == sent or live.warming(self._run.market.last_candle()):
            return
        reports = trust_reports(trust, settings, skip=sent)
        records = (CandleRecord(time, improvements=(report.row,)) for time, report in reports)
        for record in merge_records(records):
            live.ledger.write_record(record)
        for time, report in reports if self._trust_changes_sent is not None else ():
            if "raised" in report.log_line and report.log_line in self._failed_learners:
                continue  # told already; the ledger counts the days
            self._failed_learners.add(report.log_line)
            logger.info(report.log_line)
            if report.alert:
                tell("improvement", f"{time} {report.alert}", report.alert)
        self._trust_changes_sent = len(trust.changes)

    # --- entries ----------------------------------------------------------------------------------------------

    def record_check(self, time: int, check: EntryCheck) -> None:
        """Keep an entry's check: at once in a bot, at the end of a backtest, not in hyperopt."""
        if not check.rows:
            return
        record = CandleRecord(time, improvements=check.rows)
        if self._live is not None:
            for line in check.log_lines:
                logger.info(line)
            self._live.ledger.write_record(record)
        elif self._end:
            self._entries.append(record)

    def record_improvement(self, time: int, row: ImprovementRow, log_line: str) -> None:
        """Keep what an improvement did to one trade, or would have done in shadow mode."""
        self.record_check(time, EntryCheck(rows=(row,), log_lines=(log_line,)))

    def record_refusal(self, pair: str, reason: str) -> None:
        """An entry was refused for the portfolio's sake: a bot's log says so once per pair and reason."""
        if self._live is None:
            return
        self.refusals[pair] = self._run.market.last_candle(), reason
        if self._last_reason.get((pair, "portfolio")) != reason:
            self._last_reason[pair, "portfolio"] = reason
            logger.info("%s: the entry is refused: %s", pair, reason)

    def complete_backtest(self, now: datetime, checked: int, refusals: Mapping[str, int]) -> None:
        """Complete a backtest's ledger at its last candle, on which Freqtrade enters nothing."""
        if not self._entries or now.timestamp() < self._end:
            return
        refused = ", ".join(f"{name} {count}" for name, count in sorted(refusals.items())) or "none"
        modes = "/".join(sorted({row.mode for record in self._entries for row in record.improvements}))
        logger.info("Entries asked for: %d; refused (%s): %s", checked, modes, refused)
        if self._ledger is not None:
            append_to_ledger(*self._ledger, merge_records(self._entries))
        self._entries = []
