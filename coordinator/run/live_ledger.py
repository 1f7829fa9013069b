"""A bot's decisions: the live fold, kept in the ledger so that a restart goes on where it stopped."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from coordinator.components.model_files import ModelVerdict, register
from coordinator.decision.decisions import Decisions
from coordinator.decision.live import LiveFold
from coordinator.decision.outcomes import EXITS
from coordinator.decision.table import SignalTable
from coordinator.errors import CoordinatorError
from coordinator.ledger.live import LedgerConflictError
from coordinator.ledger.records import (
    CandleRecord,
    OutcomeRow,
    SnapshotRow,
    signal_rows,
)
from coordinator.ledger.store import Ledger
from coordinator.ledger.trades import TradeRow
from coordinator.run.backtest_ledger import describe_run
from coordinator.run.learning_records import FOLD, Seen, histories, together
from coordinator.settings import Settings
from coordinator.signals.candles import timeframe_seconds

__all__ = ["LiveRun", "ledger_location"]

logger = logging.getLogger(__name__)

FAR_FUTURE = 2**40
Records = dict[int, CandleRecord]


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
            snapshot = self._ledger.snapshot(self._run, FOLD, FAR_FUTURE)
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
        # Signals of this run in the ledger: all, and those without an outcome.
        self._written, self._open = self._stored()
        self._seen = Seen()
        self._registered = 0
        self._candle_seconds = timeframe_seconds(info.timeframe)
        self.trades_stale = True  # until the strategy has compared them with Freqtrade's
        self._stored_day = snapshot.time if snapshot is not None else None

    def _stored(self) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
        stored = self._ledger.read_decisions(self._run)
        times = stored["time"].dt.as_unit("s").astype("int64").tolist()
        rows = zip(times, stored["pair"].tolist(), (stored["outcome_exit"] == "").tolist(), strict=True)
        keys = [((time, pair), waiting) for time, pair, waiting in rows]
        return {key for key, _ in keys}, {key for key, waiting in keys if waiting}

    def decide(self, table: SignalTable, now: int) -> Decisions:
        """Decisions on the frames' signals; see ``LiveFold.decide``."""
        return self.fold.decide(table, now)

    def write(
        self, table: SignalTable, frame: pd.DataFrame, observed: Callable[[list[int]], Records], now: int
    ) -> None:
        """Keep what the last call decided and saw resolved; on the very first candle, once all pairs are there.

        Parameters
        ----------
        frame : pandas.DataFrame
            The table's rows as the ledger stores them, in the same order.
        observed : callable
            Drops and improvements of some rows, by candle (``histories.observations``).
        """
        self._waiting = dict.fromkeys((*self._waiting, *self.fold.newly))
        self._settled = dict.fromkeys((*self._settled, *self.fold.resolved))
        if self.fold.warming(now):
            return
        places = {key: i for i, key in enumerate(table.signal_keys())}
        # A restart decides the day's signals again, from frames that end later; what was written is what counts.
        shown = [key for key in self._waiting if key in places and key not in self._written]
        rows = [places[key] for key in shown]
        signals = [CandleRecord(time, signals=found) for time, found in signal_rows(frame.iloc[rows]).items()]
        try:
            self._write_histories()
            for record in together((*signals, *observed(rows).values())):
                self._write(record)
            self._open.update(shown)
            self._written.update(shown)
            self._waiting = {}
            mine = [key for key in self._settled if key in self._open and key in places]
            outcomes = sorted((_outcome(table, places[key]) for key in mine), key=_resolved)
            for time, group in groupby(outcomes, key=_resolved):
                self._write(CandleRecord(time=time, outcomes=tuple(group)))
            self._open -= set(mine)
            self._settled = {}  # the rest is history from before this run
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.error("The ledger did not take a candle, it is tried again with the next: %s", error)

    def _write(self, record: CandleRecord) -> None:
        """One candle. What the ledger holds already stays; a conflict must not keep what follows from being written."""
        try:
            self._ledger.write_candle(self._run, record)
        except LedgerConflictError as conflict:
            logger.warning("The ledger keeps what it has: %s", conflict)

    def register(self, verdicts: Sequence[ModelVerdict]) -> None:
        """Put newly trained models into the ledger's registry; those it has change nothing."""
        if len(verdicts) > self._registered:
            register(self._ledger, verdicts, self._candle_seconds)
            self._registered = len(verdicts)

    def write_trade(self, row: TradeRow) -> None:
        """Write a real trade, or bring it up to date; what the ledger does not take is compared again later."""
        try:
            self._ledger.write_trade(self._run, row)
        except (CoordinatorError, SQLAlchemyError) as error:
            self.trades_stale = True
            logger.error("The ledger did not take a trade, it is tried again later: %s", error)

    def write_improvements(self, record: CandleRecord) -> None:
        """Write what an entry was held against; a ledger that does not take it stops nothing."""
        try:
            self._write(record)
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.error("The ledger did not take an entry's limits: %s", error)

    def load_state(self, name: str) -> dict[str, Any] | None:
        """The state last kept under a name, beside the learners'."""
        snapshot = self._ledger.snapshot(self._run, name, FAR_FUTURE)
        return None if snapshot is None else snapshot.state

    def store_state(self, name: str, time: int, state: Mapping[str, Any]) -> None:
        """Keep a state after a candle; a ledger that does not take it stops nothing."""
        self.write_improvements(CandleRecord(time, snapshots=(SnapshotRow(name, dict(state)),)))

    def open_trades(self) -> set[tuple[int, str]]:
        """(time, pair) of the trades that the ledger holds as open."""
        try:
            trades = self._ledger.trades(self._run)
        except (CoordinatorError, SQLAlchemyError) as error:
            self.trades_stale = True
            logger.error("The ledger's trades cannot be read: %s", error)
            return set()
        still = trades[trades["closed_at"].isna()]
        times = still["time"].dt.as_unit("s").astype("int64").tolist()
        return set(zip(times, still["pair"].tolist(), strict=True))

    def _write_histories(self) -> None:
        """What the learners changed since the last call, and their state at the beginning of a new day."""
        history, day = self.fold.fold.learners.history, self.fold.fold.step_
        records = histories(history, self._seen)
        fresh_state = self.fold.day_state is not None and day is not None and day != self._stored_day
        if fresh_state and day is not None:
            records.append(CandleRecord(day, snapshots=(SnapshotRow(FOLD, self.fold.day_state),)))
        for record in together(records):
            self._write(record)
        self._stored_day = day if fresh_state else self._stored_day
        self._seen = Seen.all_of(history)


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
