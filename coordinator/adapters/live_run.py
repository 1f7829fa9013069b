"""A bot's decisions: the live fold, kept in the ledger so that a restart goes on where it stopped."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from coordinator.adapters.run_ledger import describe_run
from coordinator.decision.decisions import Decisions
from coordinator.decision.live import LiveFold
from coordinator.decision.outcomes import EXITS
from coordinator.decision.table import SignalTable
from coordinator.errors import CoordinatorError
from coordinator.ledger.records import (
    CandleRecord,
    OutcomeRow,
    SnapshotRow,
    ThresholdRow,
    VoteWeightRow,
    WeightRow,
    signal_rows,
)
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings

__all__ = ["LiveRun", "ledger_location"]

logger = logging.getLogger(__name__)

LEARNER = "fold"
FAR_FUTURE = 2**40


def ledger_location(config: dict[str, Any], settings: Settings) -> str:
    """Database URL or file of a bot's ledger."""
    default = Path(config["user_data_dir"]) / "coordinator.ledger.sqlite"
    return os.environ.get("COORDINATOR_LEDGER_URL") or settings.ledger.url or str(default)


class LiveRun:
    """Decides candle by candle and writes what was decided.

    Parameters
    ----------
    config : Freqtrade's
    strategy : its class name
    settings : Settings
    can_short : bool

    Raises
    ------
    CoordinatorError
        If the ledger cannot be opened: a bot must not run on without its memory unnoticed.
    """

    def __init__(self, config: dict[str, Any], strategy: str, settings: Settings, *, can_short: bool) -> None:
        bot = f"{config.get('bot_name', 'freqtrade')} {config.get('runmode', '')}"
        info = describe_run(config, strategy, settings, datetime.now(UTC), bot)
        self.fold = LiveFold(settings, can_short=can_short)
        self._ledger = Ledger(ledger_location(config, settings))
        try:
            self._run = self._ledger.open_run(info)
            snapshot = self._ledger.snapshot(self._run, LEARNER, FAR_FUTURE)
        except SQLAlchemyError as error:
            rule = "be a database that can be written"
            raise CoordinatorError(
                "ledger.url", "the coordinator section", rule, type(error).__name__
            ) from None
        if snapshot is not None:
            self.fold.restore(snapshot.state)
            logger.info("Learners continue from %s", datetime.fromtimestamp(snapshot.time, tz=UTC))
        self._waiting: dict[tuple[int, str], None] = {}  # signals to be written
        self._settled: dict[tuple[int, str], None] = {}  # outcomes to be written
        self._open = self._unresolved()  # signals of this run in the ledger without an outcome
        self._histories = (0, 0, 0)
        self._stored_day = snapshot.time if snapshot is not None else None

    def _unresolved(self) -> set[tuple[int, str]]:
        stored = self._ledger.read_decisions(self._run)
        stored = stored[stored["outcome_exit"] == ""]
        times = stored["time"].dt.as_unit("s").astype("int64").tolist()
        return set(zip(times, stored["pair"].tolist(), strict=True))

    def decide(self, table: SignalTable, now: int) -> Decisions:
        """Decisions on the frames' signals; see ``LiveFold.decide``."""
        return self.fold.decide(table, now)

    def write(self, table: SignalTable, frame: pd.DataFrame, now: int) -> None:
        """Keep what the last call decided and saw resolved; on the very first candle, once all pairs are there.

        Parameters
        ----------
        frame : pandas.DataFrame
            The table's rows as the ledger stores them, in the same order.
        """
        self._waiting = dict.fromkeys((*self._waiting, *self.fold.newly))
        self._settled = dict.fromkeys((*self._settled, *self.fold.resolved))
        if self.fold.warming(now):
            return
        places = {key: i for i, key in enumerate(table.signal_keys())}
        shown = [key for key in self._waiting if key in places]
        signals = signal_rows(frame.iloc[[places[key] for key in shown]])
        try:
            self._write_histories()
            for time, rows in sorted(signals.items()):
                self._ledger.write_candle(self._run, CandleRecord(time=time, signals=rows))
            self._open.update(shown)
            self._waiting = {}
            mine = [key for key in self._settled if key in self._open and key in places]
            outcomes = sorted((_outcome(table, places[key]) for key in mine), key=_resolved)
            for time, group in groupby(outcomes, key=_resolved):
                self._ledger.write_candle(self._run, CandleRecord(time=time, outcomes=tuple(group)))
            self._open -= set(mine)
            self._settled = {}  # the rest is history from before this run
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.error("The ledger did not take a candle, it is tried again with the next: %s", error)

    def _write_histories(self) -> None:
        """What the learners changed since the last call, and their state at the beginning of a new day."""
        history, day = self.fold.fold.learners.history, self.fold.fold.step_
        reviewed, stepped, weighed = self._histories
        reviews, steps = history.reviews[reviewed:], history.thresholds[stepped:]
        shares = history.weights[weighed:]
        times = {x.time for x in reviews} | {x.time for x in steps} | {time for time, _ in shares}
        fresh_state = self.fold.day_state is not None and day is not None and day != self._stored_day
        for time in sorted(times | ({day} if fresh_state and day is not None else set())):
            record = CandleRecord(
                time=time,
                snapshots=(SnapshotRow(LEARNER, self.fold.day_state),) if fresh_state and time == day else (),
                weights=tuple(
                    WeightRow(x.phase_after, x.weight_after, x.reason, _finite(vars(x.evidence)))
                    for x in reviews
                    if x.time == time
                ),
                vote_weights=tuple(
                    VoteWeightRow(name, weight)
                    for when, weights in shares
                    if when == time
                    for name, weight in weights.items()
                ),
                thresholds=tuple(ThresholdRow(x.pair, x.after, x.reason) for x in steps if x.time == time),
            )
            self._ledger.write_candle(self._run, record)
        self._stored_day = day if fresh_state else self._stored_day
        self._histories = len(history.reviews), len(history.thresholds), len(history.weights)


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in values.items()}


def _resolved(outcome: OutcomeRow) -> int:
    return outcome.time_resolved


def _outcome(table: SignalTable, row: int) -> OutcomeRow:
    return OutcomeRow(
        time=int(table.time[row]),
        pair=table.pairs[table.pair[row]],
        r=float(table.outcome_r[row]),
        exit=EXITS[int(table.outcome_exit[row])],
        time_resolved=int(table.outcome_time[row]),
    )
