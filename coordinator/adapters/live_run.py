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
from coordinator.ledger.run_info import RunInfo
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
        freqai = config.get("freqai") or {}
        info = RunInfo(
            strategy=strategy,
            started_at=datetime.now(UTC),
            timeframe=config.get("timeframe", "1h"),
            settings=settings.model_dump(mode="json"),
            model=config.get("freqaimodel") if freqai.get("enabled") else None,
            identifier=freqai.get("identifier") if freqai.get("enabled") else None,
            bot=f"{config.get('bot_name', 'freqtrade')} {config.get('runmode', '')}",
        )
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
        self._waiting: dict[tuple[int, str], None] = {}
        self._stored_day = snapshot.time if snapshot is not None else None

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
        places = {key: i for i, key in enumerate(table.signal_keys())}
        self._waiting = dict.fromkeys((*self._waiting, *self.fold.newly))
        if self.fold.warming(now):
            return
        signals = signal_rows(frame.iloc[[places[key] for key in self._waiting if key in places]])
        self._waiting = {}
        try:
            self._write_day()
            for time, rows in sorted(signals.items()):
                self._ledger.write_candle(self._run, CandleRecord(time=time, signals=rows))
            outcomes = [_outcome(table, places[key]) for key in self.fold.resolved if key in places]
            for time, group in groupby(sorted(outcomes, key=_resolved), key=_resolved):
                self._ledger.write_candle(self._run, CandleRecord(time=time, outcomes=tuple(group)))
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.error("The ledger did not take a candle: %s", error)

    def _write_day(self) -> None:
        """At the beginning of a day: the state, and what changed with it."""
        day, state = self.fold.fold.step_, self.fold.day_state
        if state is None or day is None or day == self._stored_day:
            return
        history = self.fold.fold.learners.history
        record = CandleRecord(
            time=day,
            snapshots=(SnapshotRow(LEARNER, state),),
            weights=tuple(
                WeightRow(x.phase_after, x.weight_after, x.reason, _finite(vars(x.evidence)))
                for x in history.reviews
                if x.time == day
            ),
            vote_weights=tuple(
                VoteWeightRow(name, weight)
                for when, weights in history.weights
                if when == day
                for name, weight in weights.items()
            ),
            thresholds=tuple(
                ThresholdRow(x.pair, x.after, x.reason) for x in history.thresholds if x.time == day
            ),
        )
        self._ledger.write_candle(self._run, record)
        self._stored_day = day


def _resolved(outcome: OutcomeRow) -> int:
    return outcome.time_resolved


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in values.items()}


def _outcome(table: SignalTable, row: int) -> OutcomeRow:
    return OutcomeRow(
        time=int(table.time[row]),
        pair=table.pairs[table.pair[row]],
        r=float(table.outcome_r[row]),
        exit=EXITS[int(table.outcome_exit[row])],
        time_resolved=int(table.outcome_time[row]),
    )
