"""Writing runs to the decision ledger and reading them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, and_, delete, insert, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.database import display_url, make_engine, sqlite_file, write_ahead
from coordinator.ledger.frame import normalise_decisions
from coordinator.ledger.rows import decisions_from_rows, rows_of, signal_query, vote_query

__all__ = ["Ledger", "RunInfo"]

_DETAILS = (schema.votes, schema.decisions, schema.outcomes)  # what hangs on a signal


@dataclass(frozen=True)
class RunInfo:
    """What a run was. Strategy and start together are its identity.

    Attributes
    ----------
    strategy : str
        The strategy's class name.
    started_at : datetime.datetime
        Timezone-aware.
    timeframe : str
        E.g. ``"1h"``.
    settings : mapping
        The coordinator section as JSON types.
    model, identifier : str or None
        FreqAI's model class and identifier; None without FreqAI.
    """

    strategy: str
    started_at: datetime
    timeframe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    identifier: str | None = None


class Ledger:
    """A decision ledger in a database.

    Nothing is opened or created before the first call; a file is made only by :meth:`write_run`.

    Parameters
    ----------
    url_or_path : str or pathlib.Path
        A SQLite file, or a SQLAlchemy database URL (anything with ``://``). Folders of a file must exist.

    Raises
    ------
    CoordinatorError
        Here and from every method: if the URL or its driver is wrong, the file is missing, corrupt or no
        ledger, or was written by another version of the schema.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        self._engine: Engine = make_engine(url_or_path)
        self._file = sqlite_file(self._engine)
        self._name = str(self._file or display_url(self._engine))

    def write_run(self, info: RunInfo, decisions: pd.DataFrame) -> int:
        """Write a whole run in one transaction and return its id.

        A run that is there already (same strategy and start) is replaced and keeps its id, so writing twice
        leaves one copy.

        Parameters
        ----------
        decisions : pandas.DataFrame
            As :func:`~coordinator.ledger.frame.normalise_decisions` takes it; may be empty.
        """
        frame = normalise_decisions(decisions, f"the decisions of {info.strategy}")
        with self._transaction(create=True) as connection:
            run_id = _put_run(connection, info)
            for table, rows in rows_of(frame, run_id).items():
                if rows:
                    connection.execute(insert(table), rows)
        write_ahead(self._engine)
        return run_id

    def runs(self) -> pd.DataFrame:
        """Runs from the first started to the last.

        Returns
        -------
        pandas.DataFrame
            Shape (runs, 7): id (int64), strategy, started_at (``datetime64[us, UTC]``), timeframe, settings
            (dict), model, identifier (both missing without FreqAI).
        """
        query = select(schema.runs).order_by(schema.runs.c.started_at, schema.runs.c.id)
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        frame = pd.DataFrame.from_records(rows, columns=[column.name for column in schema.runs.columns])
        started = pd.to_datetime(frame["started_at"], utc=True, format="ISO8601").dt.as_unit("us")
        return frame.assign(started_at=started, id=frame["id"].astype("int64"))

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
            raise CoordinatorError("run", self._name, f"be one of {known}", wanted)
        run_id = known[-1] if run_id is None else run_id
        with self._transaction() as connection:
            signals = connection.execute(signal_query(run_id)).mappings().all()
            votes = connection.execute(vote_query(run_id)).mappings().all()
        return decisions_from_rows(signals, votes)

    @contextmanager
    def _transaction(self, create: bool = False) -> Iterator[Connection]:
        """A connection to a sound ledger, committed at the end; database errors become CoordinatorError."""
        if not create and self._file is not None and not self._file.is_file():
            raise CoordinatorError("ledger", self._name, "exist", "no such file")
        try:
            with self._engine.begin() as connection:
                self._check(connection, create)
                yield connection
        except (SQLAlchemyError, OSError) as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise CoordinatorError("ledger", self._name, "be a usable ledger database", reason) from error

    def _check(self, connection: Connection, create: bool) -> None:
        tables = set(inspect(connection).get_table_names())
        if schema.schema_version.name not in tables:
            # Others' tables stay alone: a ledger is made in an empty database only.
            ours = tables & set(schema.metadata.tables)
            if not create or ours or (tables and self._file is not None):
                found = f"tables {sorted(tables)}"
                raise CoordinatorError("ledger", self._name, "be a decision ledger", found)
            schema.metadata.create_all(connection)
            connection.execute(insert(schema.schema_version), [{"version": schema.SCHEMA_VERSION}])
        version = connection.execute(select(schema.schema_version.c.version)).scalar_one_or_none()
        if version != schema.SCHEMA_VERSION:
            rule = f"have schema version {schema.SCHEMA_VERSION}"
            raise CoordinatorError("ledger", self._name, rule, version)


def _put_run(connection: Connection, info: RunInfo) -> int:
    """Insert the run, or clear the one of the same identity; its id."""
    table = schema.runs
    if info.started_at.tzinfo is None:
        owner = f"the run of {info.strategy}"
        raise CoordinatorError("started_at", owner, "carry a timezone", info.started_at)
    values = {
        "strategy": info.strategy,
        "started_at": info.started_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "timeframe": info.timeframe,
        "settings": dict(info.settings),
        "model": info.model,
        "identifier": info.identifier,
    }
    same = and_(table.c.strategy == values["strategy"], table.c.started_at == values["started_at"])
    run_id = connection.execute(select(table.c.id).where(same)).scalar_one_or_none()
    if run_id is None:
        inserted = connection.execute(insert(table).values(values)).inserted_primary_key
        assert inserted is not None  # an INSERT of one row always has one
        return int(inserted[0])
    for details in (*_DETAILS, schema.signals):
        connection.execute(delete(details).where(details.c.run_id == run_id))
    connection.execute(update(table).where(table.c.id == run_id).values(values))
    return int(run_id)
