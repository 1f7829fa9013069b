"""The ledger: writing runs, whole or candle by candle, and reading them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import insert, select

from coordinator.errors import CoordinatorError
from coordinator.ledger import live, run_info, schema
from coordinator.ledger.database import Database
from coordinator.ledger.feature_store import FeatureSchema, FeatureTable, read_features, write_features
from coordinator.ledger.frame import normalise_decisions
from coordinator.ledger.integrity import problems
from coordinator.ledger.metric_history import MetricRow, metric_frame, write_metrics
from coordinator.ledger.records import CandleRecord
from coordinator.ledger.replay import Snapshot, history_frame, last_snapshot, named_snapshots, replay_run
from coordinator.ledger.rows import decisions_from_rows, rows_of, signal_query, vote_query
from coordinator.ledger.run_info import RunInfo
from coordinator.ledger.samples.panel_store import PanelTable, panel_query, panel_table, write_panel
from coordinator.ledger.schema_models import ml_trade_features
from coordinator.ledger.trades import TradeRow, trade_frame, write_batch_trades, write_trade

__all__ = ["Ledger", "RunInfo"]


class Ledger:
    """A decision ledger in a database.

    Nothing is opened or created before the first call; a file is made only by :meth:`write_run`, :meth:`open_run`,
    :meth:`upgrade` and the model registry. An older ledger is upgraded when it is first used.

    A backtest writes a whole run at once. A bot opens a run and writes its candles one by one, each in one
    transaction: after a crash, all of a candle is there or nothing, and writing it again changes nothing.

    Parameters
    ----------
    url_or_path : str or pathlib.Path
        A SQLite file, or a SQLAlchemy database URL (anything with ``://``). Folders of a file must exist.

    Raises
    ------
    CoordinatorError
        Here and from every method: if the URL or its driver is wrong, the file is missing, corrupt or no
        ledger, or was written by a newer version of the schema.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        self._place = url_or_path
        self.database = Database(url_or_path)

    def __reduce__(self) -> tuple[type[Ledger], tuple[str | Path]]:
        """Hyperopt sends strategies to its workers: each opens the database for itself."""
        return Ledger, (self._place,)

    # --- whole runs -------------------------------------------------------------------------------------------

    def write_run(
        self, info: RunInfo, decisions: pd.DataFrame, histories: Iterable[CandleRecord] = ()
    ) -> int:
        """Write a whole run in one transaction and return its id.

        A run that is there already (same strategy and start) is replaced and keeps its id, so writing twice
        leaves one copy. A live run is never replaced.

        Parameters
        ----------
        decisions : pandas.DataFrame
            As :func:`~coordinator.ledger.frame.normalise_decisions` takes it; may be empty.
        histories : iterable of CandleRecord
            What the learners went through: weights, thresholds, drops, improvements and snapshots, each candle
            once. Signals and outcomes in them are left out: they are in ``decisions``.
        """
        frame = normalise_decisions(decisions, f"the decisions of {info.strategy}")
        with self.database.write(create=True) as connection:
            run_id = run_info.write_batch_run(connection, info)
            for table, rows in rows_of(frame, run_id).items():
                if rows:
                    connection.execute(insert(table), rows)
            live.insert_histories(connection, run_id, histories)
        return run_id

    def append_histories(self, run_id: int, histories: Iterable[CandleRecord]) -> None:
        """Add to a batch run what became known only later, in one transaction; candles may be there already."""
        with self.database.write() as connection:
            live.insert_histories(connection, run_id, histories)

    def runs(self) -> pd.DataFrame:
        """Runs from the first started to the last.

        Returns
        -------
        pandas.DataFrame
            Shape (runs, 10): id (int64), strategy, started_at (``datetime64[us, UTC]``), timeframe, settings
            (dict), model, identifier (both missing without FreqAI), kind ("batch" or "live"), bot, closed_at
            (``datetime64[us, UTC]``, NaT for a batch and while open).
        """
        columns = [column for column in schema.runs.columns if column.name != "identity"]
        query = select(*columns).order_by(schema.runs.c.started_at, schema.runs.c.id)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
        frame = pd.DataFrame.from_records(rows, columns=[column.name for column in columns])
        started = pd.to_datetime(frame["started_at"], utc=True, format="ISO8601").dt.as_unit("us")
        closed = pd.to_datetime(frame["closed_at"], utc=True).dt.as_unit("us")
        return frame.assign(started_at=started, closed_at=closed, id=frame["id"].astype("int64"))

    def read_decisions(self, run_id: int | None = None) -> pd.DataFrame:
        """One run's decisions; without an id the last started run's.

        Returns
        -------
        pandas.DataFrame
            As :func:`~coordinator.ledger.frame.normalise_decisions` returns it.

        Raises
        ------
        CoordinatorError
            If there is no such run.
        """
        known = [int(value) for value in self.runs()["id"]]
        if not known or (run_id is not None and run_id not in known):
            wanted = "any run" if run_id is None else run_id
            raise CoordinatorError("run", self.database.name, f"be one of {known}", wanted)
        run_id = known[-1] if run_id is None else run_id
        with self.database.read() as connection:
            signals = connection.execute(signal_query(run_id)).mappings().all()
            votes = connection.execute(vote_query(run_id)).mappings().all()
        return decisions_from_rows(signals, votes)

    # --- live runs --------------------------------------------------------------------------------------------

    def open_run(self, info: RunInfo) -> int:
        """Begin a live run, or continue the open one of the same identity after a restart; its id.

        See :attr:`RunInfo.identity <coordinator.ledger.run_info.RunInfo.identity>`; the start of a continued run
        stays what it was.
        """
        with self.database.write(create=True) as connection:
            return run_info.open_run(connection, info)

    def hold_run(self, run_id: int) -> None:
        """Keep other processes from writing a live run until this one ends.

        Raises
        ------
        CoordinatorError
            If another process, a second bot of the same identity, holds it.
        """
        self.database.hold_run(run_id)

    def close_run(self, run_id: int, at: datetime) -> None:
        """End a live run (``at`` timezone-aware): the next of the same identity starts anew."""
        with self.database.write() as connection:
            run_info.close_run(connection, run_id, at, self.database.name)

    def write_candle(self, run_id: int, record: CandleRecord) -> None:
        """Write everything of a live run's candle in one transaction; see :mod:`coordinator.ledger.live`.

        Written twice, it is there once. Something else under the same key is refused: a decision is never
        rewritten, and an outcome is resolved once.
        """
        with self.database.write() as connection:
            live.write_candle(connection, run_id, record, self.database.name)

    def last_candle(self, run_id: int) -> int | None:
        """Time of a live run's last written candle, None before the first."""
        with self.database.read() as connection:
            return live.last_candle(connection, run_id)

    def replay(self, run_id: int, after: int | None = None) -> Iterator[CandleRecord]:
        """A run's records in time order, live or batch; see :func:`coordinator.ledger.replay.replay_run`."""
        return replay_run(self.database, run_id, after)

    def snapshot(self, run_id: int, learner: str, at: int) -> Snapshot | None:
        """A learner's last snapshot from candle ``at`` or before; replaying ``after`` its time brings it up to date."""
        with self.database.read() as connection:
            return last_snapshot(connection, run_id, learner, at)

    def named_snapshots(self, run_id: int, prefix: str) -> list[tuple[str, Snapshot]]:
        """(name, snapshot) of every stored state whose name begins so, in time order."""
        with self.database.read() as connection:
            return named_snapshots(connection, run_id, prefix)

    def history(self, run_id: int, part: str) -> pd.DataFrame:
        """One history of a run as a table; see :func:`coordinator.ledger.replay.history_frame`."""
        with self.database.read() as connection:
            return history_frame(connection, run_id, part)

    # --- trades and features ----------------------------------------------------------------------------------

    def write_trade(self, run_id: int, trade: TradeRow) -> None:
        """Write a real trade or bring it up to date; see :func:`coordinator.ledger.trades.write_trade`."""
        with self.database.write() as connection:
            write_trade(connection, run_id, trade, self.database.name)

    def write_batch_trades(self, run_id: int, trades: Iterable[TradeRow]) -> None:
        """Write a backtest's trades; see :func:`coordinator.ledger.trades.write_batch_trades`."""
        with self.database.write() as connection:
            write_batch_trades(connection, run_id, trades)

    def trades(self, run_id: int) -> pd.DataFrame:
        """A run's real trades beside their virtual ones; see :func:`coordinator.ledger.trades.trade_frame`."""
        with self.database.read() as connection:
            return trade_frame(connection, run_id)

    def write_features(self, run_id: int, table: FeatureTable, *, keep: bool = False) -> None:
        """Add features of written signals; see :func:`coordinator.ledger.feature_store.write_features`."""
        with self.database.write() as connection:
            write_features(connection, run_id, table, self.database.name, keep=keep)

    def read_features(self, run_id: int, schema: FeatureSchema) -> FeatureTable:
        """All features that a run has of a schema."""
        with self.database.read() as connection:
            return read_features(connection, run_id, schema)

    def featured(self, run_id: int) -> set[tuple[int, str]]:
        """(time, pair) of a run's signals that have features, whatever their schema."""
        t = ml_trade_features.c
        with self.database.read() as connection:
            rows = connection.execute(select(t.time, t.pair).where(t.run_id == run_id))
            return {(int(time), pair) for time, pair in rows}

    def write_panel(self, run_id: int, table: PanelTable) -> int:
        """Add panel samples, and labels that have become known; how many samples are new."""
        with self.database.write() as connection:
            return write_panel(connection, run_id, table, self.database.name)

    def read_panel(self, schema: FeatureSchema, clock: str) -> PanelTable:
        """The panel samples of all runs, each pair and time once."""
        with self.database.read() as connection:
            return panel_table(schema, clock, list(connection.execute(panel_query(schema, clock))))

    # --- metrics ----------------------------------------------------------------------------------------------

    def write_metrics(self, run_id: int, rows: Iterable[MetricRow]) -> int:
        """Write metrics of a run's days; see :func:`coordinator.ledger.metric_history.write_metrics`."""
        with self.database.write() as connection:
            return write_metrics(connection, run_id, rows)

    def metrics(self, run_id: int, metric: str | None = None) -> pd.DataFrame:
        """Stored metrics of a run over time; see :func:`coordinator.ledger.metric_history.metric_frame`."""
        with self.database.read() as connection:
            return metric_frame(connection, run_id, metric)

    # --- the database -----------------------------------------------------------------------------------------

    def upgrade(self) -> None:
        """Create the schema or bring it to the newest version, as any other use would."""
        with self.database.write(create=True):
            pass

    def check(self) -> list[str]:
        """What is wrong with the ledger, one line each; empty if nothing is."""
        with self.database.read() as connection:
            return problems(connection)
