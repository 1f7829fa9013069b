"""Where a backtest's decisions are made: the fold runs once over all signals."""

from __future__ import annotations

from typing import Any

from coordinator.decision.decisions import Decisions
from coordinator.decision.fold import Fold
from coordinator.decision.history import SignalHistory
from coordinator.decision.learners import History
from coordinator.decision.table import SignalTable
from coordinator.ledger.records import CandleRecord
from coordinator.run.learning_records import final_snapshot, history_records
from coordinator.settings import Settings

__all__ = ["BacktestDecisions"]


class BacktestDecisions:
    """Decides on all signals at once; keeps how the learners changed on the way.

    Attributes
    ----------
    before : signals of before the run, which the learners learn from first
    """

    def __init__(self, can_short: bool) -> None:
        self._can_short = can_short
        self._history = History.empty()
        self._final: tuple[int | None, dict[str, Any]] = (None, {})
        self.before: SignalHistory | None = None

    def decide(self, signals: SignalTable, settings: Settings) -> Decisions:
        """Decisions on all signals, in their order."""
        fold, before = Fold(settings, can_short=self._can_short), self.before
        decisions = fold.run(signals if before is None else before.before(signals))
        self._history, self._final = fold.learners.history, (fold.step_, fold.learners.state())
        return decisions if before is None else before.decisions_of(signals, decisions)

    def history_records(self) -> list[CandleRecord]:
        """How the learners changed, for the ledger."""
        return history_records(self._history)

    def final_records(self) -> list[CandleRecord]:
        """The learners' state after the last day, for the ledger; empty without a decision."""
        day, state = self._final
        return [] if day is None else [CandleRecord(day, snapshots=(final_snapshot(state),))]
