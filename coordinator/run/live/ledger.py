"""A bot's ledger: what was decided, resolved and learned, so that a restart continues where it stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from coordinator.components.model_files import ModelVerdict, register_models
from coordinator.decision.live import LiveFold
from coordinator.decision.outcomes import EXITS
from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureTable
from coordinator.ledger.live import LedgerConflictError
from coordinator.ledger.location import ledger_location
from coordinator.ledger.metric_history import MetricRow
from coordinator.ledger.records import (
    CandleRecord,
    OutcomeRow,
    SnapshotRow,
    signal_rows,
)
from coordinator.ledger.replay import Snapshot
from coordinator.ledger.samples.panel_store import PanelTable
from coordinator.ledger.samples.prediction_rows import Said, write_predictions
from coordinator.ledger.store import Ledger
from coordinator.ledger.trades import TradeRow
from coordinator.run.backtest_ledger import describe_run
from coordinator.run.learning_records import FOLD, WrittenCounts, history_records, merge_records
from coordinator.settings import Settings
from coordinator.signals.candles import timeframe_seconds
from coordinator.signals.clock import pair_of
from coordinator.types import FAR_FUTURE

__all__ = ["LiveLedger"]

logger = logging.getLogger(__name__)

Records = dict[int, CandleRecord]


class LiveLedger:
    """Writes candle by candle; what the ledger does not take is tried again with the next candle.

    Parameters
    ----------
    config : Freqtrade's
    strategy : its class name
    settings : Settings
    bot : which bot this is, the same after a restart

    Raises
    ------
    CoordinatorError
        If the ledger cannot be opened: a bot must not run on without its memory unnoticed. Or if another process
        writes the same run.
    """

    def __init__(self, config: dict[str, Any], strategy: str, settings: Settings, bot: str) -> None:
        info = describe_run(config, strategy, settings, datetime.now(UTC), bot)
        self._ledger = Ledger(ledger_location(config, settings))
        try:
            self._run = self._ledger.open_run(info)
            self._ledger.hold_run(self._run)
            snapshot = self.snapshot(FOLD)
        except SQLAlchemyError as error:
            rule = "be a database that can be written"
            raise CoordinatorError(
                "ledger.url", "the coordinator section", rule, type(error).__name__
            ) from None
        self._waiting: dict[tuple[int, str], None] = {}  # signals to be written
        self._settled: dict[tuple[int, str], None] = {}  # outcomes to be written
        # Signals of this run in the ledger: all, and those without an outcome.
        self._written, self._open = self._stored()
        self._began: int | None = None  # the first candle that is written
        self._counts = WrittenCounts()
        self._registered = 0
        self._candle_seconds = timeframe_seconds(info.timeframe)
        self.trades_stale = True  # until the strategy has compared them with Freqtrade's
        self._stored_day = snapshot.time if snapshot is not None else None

    def _stored(self) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
        """(time, pair) of this run's signals in the ledger, and of those without an outcome."""
        stored = self._ledger.read_decisions(self._run)
        times = stored["time"].dt.as_unit("s").astype("int64").tolist()
        rows = zip(times, stored["pair"].tolist(), (stored["outcome_exit"] == "").tolist(), strict=True)
        keys = [((time, pair), waiting) for time, pair, waiting in rows]
        return {key for key, _ in keys}, {key for key, waiting in keys if waiting}

    def snapshot(self, name: str) -> Snapshot | None:
        """The newest state stored under a name, None without any."""
        return self._ledger.snapshot(self._run, name, FAR_FUTURE)

    def write(
        self,
        fold: LiveFold,
        signals: SignalTable,
        frame_of: Callable[[list[int]], pd.DataFrame],
        records_of: Callable[[list[int]], Records],
        now: int,
    ) -> None:
        """Write what the fold's last call decided and saw resolved; on the very first candle, once all pairs are there.

        Parameters
        ----------
        frame_of : callable
            Some signals as the ledger stores them (``run.signal_frame``); asked where there are new ones.
        records_of : callable
            Absent components and improvements of some rows, by candle (``learning_records.signal_records``).
        now : int
            Open time of the newest closed candle.
        """
        self._waiting = dict.fromkeys((*self._waiting, *fold.new_signals))
        self._settled = dict.fromkeys((*self._settled, *fold.new_outcomes))
        if fold.warming(now):
            return
        self._began = self._began or now
        row_of: dict[tuple[int, str], int] = {}
        if self._waiting or self._settled or now == self._began:
            row_of = {key: i for i, key in enumerate(signals.signal_keys())}
        # A restart decides the day's signals again, from frames that end later; what was written is what counts.
        new = [key for key in self._waiting if key in row_of and key not in self._written]
        rows = [row_of[key] for key in new]
        decided = [
            CandleRecord(time, signals=of_candle)
            for time, of_candle in (signal_rows(frame_of(rows)) if rows else {}).items()
        ]
        try:
            self._write_learning(fold)
            for record in merge_records((*decided, *(records_of(rows) if rows else {}).values())):
                self._write(record)
            self._open.update(new)
            self._written.update(new)
            self._waiting = {}
            if now == self._began:
                # Signals of before the first candle may have an outcome already, and a bot that was killed may have
                # kept its learners' state and not the outcomes that it had just seen.
                known = (key for key in self._open if key in row_of)
                seen = [key for key in known if signals.outcome_time[row_of[key]] != UNRESOLVED]
                self._settled = dict.fromkeys((*self._settled, *sorted(seen)))
            settled = [key for key in self._settled if key in self._open and key in row_of]
            outcomes = sorted((_outcome(signals, row_of[key]) for key in settled), key=_resolved)
            for time, group in groupby(outcomes, key=_resolved):
                self._write(CandleRecord(time=time, outcomes=tuple(group)))
            self._open -= set(settled)
            self._settled = {}  # the rest is history from before this run
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.error("The ledger did not take a candle, it is tried again with the next: %s", error)

    def _write(self, record: CandleRecord) -> None:
        """One candle. What the ledger holds already stays; a conflict must not keep what follows from being written."""
        try:
            self._ledger.write_candle(self._run, record)
        except LedgerConflictError as conflict:
            logger.warning("The ledger keeps what it has: %s", conflict)

    def register_models(self, verdicts: Sequence[ModelVerdict]) -> None:
        """Add newly trained models to the ledger's registry; those it has change nothing."""
        if len(verdicts) > self._registered:
            register_models(self._ledger, verdicts, self._candle_seconds)
            self._registered = len(verdicts)

    @property
    def run_id(self) -> int:
        """The bot's run."""
        return self._run

    @property
    def ledger(self) -> Ledger:
        """The ledger itself, with all its runs and models."""
        return self._ledger

    @property
    def written(self) -> set[tuple[int, str]]:
        """(time, pair) of this run's signals in the ledger."""
        return self._written

    def featured(self) -> set[tuple[int, str]]:
        """(time, pair) of this run's signals whose features are in the ledger."""
        try:
            return self._ledger.featured(self._run)
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.error("The ledger's features cannot be read: %s", error)
            return set()

    def write_features(self, table: FeatureTable) -> None:
        """Features of written signals; those that are there stay."""
        self._ledger.write_features(self._run, table, keep=True)

    def write_panel(self, table: PanelTable) -> None:
        """Panel samples, and labels that have become known."""
        self._ledger.write_panel(self._run, table)

    def write_predictions(self, said: Said) -> None:
        """What a component's models said on signals."""
        write_predictions(self._ledger, said)

    def write_trade(self, row: TradeRow) -> None:
        """Write a real trade, or bring it up to date; what the ledger does not take is compared again later."""
        try:
            self._ledger.write_trade(self._run, row)
        except (CoordinatorError, SQLAlchemyError) as error:
            self.trades_stale = True
            logger.error("The ledger did not take a trade, it is tried again later: %s", error)

    def write_record(self, record: CandleRecord) -> None:
        """Write a record of a candle, e.g. an entry's limits; a ledger that does not take it stops nothing."""
        try:
            self._write(record)
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.error("The ledger did not take an entry's limits: %s", error)

    def write_metrics(self, compute: Callable[[Ledger, int], Iterable[MetricRow]]) -> None:
        """Write metrics worked out from the ledger and the run's id; whatever fails there stops nothing."""
        try:
            self._ledger.write_metrics(self._run, compute(self._ledger, self._run))
        except Exception as error:
            logger.error("The day's metrics were not written: %s: %s", type(error).__name__, error)

    def load_state(self, name: str) -> dict[str, Any] | None:
        """The newest state stored under a name beside the learners'; None without any."""
        snapshot = self.snapshot(name)
        return None if snapshot is None else snapshot.state

    def store_state(self, name: str, time: int, state: Mapping[str, Any]) -> None:
        """Store a state after a candle; a ledger that does not take it stops nothing."""
        self.write_record(CandleRecord(time, snapshots=(SnapshotRow(name, dict(state)),)))

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

    def _write_learning(self, fold: LiveFold) -> None:
        """How the learners changed since the last call, and their state at the beginning of a new day."""
        history, day, state = fold.fold.learners.history, fold.fold.step_, fold.day_state
        records, stored_day = history_records(history, self._counts), self._stored_day
        if state is not None and day is not None and day != stored_day:
            records.append(CandleRecord(day, snapshots=(SnapshotRow(FOLD, state),)))
            stored_day = day
        for record in merge_records(records):
            self._write(record)
        self._stored_day = stored_day
        self._counts = WrittenCounts.all_of(history)


def _resolved(outcome: OutcomeRow) -> int:
    return outcome.time_resolved


def _outcome(signals: SignalTable, row: int) -> OutcomeRow:
    return OutcomeRow(
        time=int(signals.time[row]),
        pair=pair_of(signals.pairs[signals.pair[row]]),
        r=float(signals.outcome_r[row]),
        exit=EXITS[int(signals.outcome_exit[row])],
        time_resolved=int(signals.outcome_time[row]),
    )
