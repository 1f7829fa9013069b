"""Signals of before a run, from which the learners learn first: a run with them goes on as if it had begun earlier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.decision.decisions import Decisions
from coordinator.decision.table import SignalTable, join_tables

__all__ = ["SignalHistory"]


@dataclass(frozen=True)
class SignalHistory:
    """Signals of before a run.

    Attributes
    ----------
    table : their outcomes may be known later only
    until : int, a signal's candle opens before it (seconds since the epoch); what opens later is the run's own
    """

    table: SignalTable
    until: int

    def before(self, table: SignalTable) -> SignalTable:
        """These signals, and a run's own behind them; the run's of before ``until`` are left out."""
        return join_tables(self.table, table.rows(table.time >= self.until))

    def decisions_of(self, table: SignalTable, decided: Decisions) -> Decisions:
        """Decisions on a run's signals from those on ``before(table)``; nothing was decided on one it did not have."""
        row_of = {key: i for i, key in enumerate(self.table.signal_keys())}
        first = int(np.searchsorted(table.time, self.until))
        missing = len(decided.rejection)
        earlier = [row_of.get(key, missing) for key in table.rows(slice(0, first)).signal_keys()]
        later = np.arange(len(self.table), missing)
        rows = np.concatenate((np.array(earlier, dtype=np.int64), later))
        return Decisions.join(decided, Decisions.empty(1)).rows(rows)
