"""Opening the ledger's database: a SQLite file by path, anything SQLAlchemy knows by URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from coordinator.errors import CoordinatorError
from coordinator.ledger.run_hold import hold_run
from coordinator.ledger.upgrade import HEAD, schema_version, upgrade_schema
from coordinator.shown_url import shown_url

__all__ = ["Database", "make_engine", "sqlite_file", "write_ahead"]

BUSY_MILLISECONDS: Final = 30_000
_WRITES: Final = "coordinator_writes"


class Database:
    """A ledger's database: transactions on the newest schema, and errors that name the ledger.

    One process writes at a time (SQLite waits for the other one, up to half a minute), any number reads.

    Attributes
    ----------
    name : str
        File, or URL without its password.
    """

    def __init__(self, url_or_path: str | Path) -> None:
        self._engine = make_engine(url_or_path)
        self._writer = self._engine.execution_options(**{_WRITES: True})
        # All that is read in one transaction is of one moment; SQLite gives no less.
        is_server = self._engine.dialect.name == "postgresql"
        level = {"isolation_level": "REPEATABLE READ"} if is_server else {}
        self._reader = self._engine.execution_options(**level)
        self._file = sqlite_file(self._engine)
        self._sound = False  # whether the schema was seen to be the newest one
        self.name = str(self._file or shown_url(self._engine.url))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to an existing ledger; an older one is upgraded first."""
        if self._file is not None and not self._file.is_file():
            raise CoordinatorError("ledger", self.name, "exist", "no such file")
        self._prepare(create=False)
        with self._errors(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self, create: bool = False) -> Iterator[Connection]:
        """A connection in a transaction of its own, committed at the end, gone after an error.

        Parameters
        ----------
        create : bool
            Whether a missing ledger is made.
        """
        missing = self._file is not None and not self._file.is_file()
        if missing and not create:
            raise CoordinatorError("ledger", self.name, "exist", "no such file")
        self._sound = self._sound and not missing
        self._prepare(create)
        with self._errors(), self._writer.begin() as connection:
            yield connection

    @property
    def exists(self) -> bool:
        """Whether there is a ledger: a file, or a database with our tables."""
        if self._sound:
            return True
        if self._file is not None:
            return self._file.is_file()
        with self._errors(), self._engine.begin() as connection:
            return schema_version(connection, self.name) is not None

    def hold_run(self, run_id: int) -> None:
        """See :func:`coordinator.ledger.run_hold.hold_run`."""
        with self._errors():
            hold_run(self._engine, self._file, run_id, self.name)

    def vacuum(self) -> None:
        """Give the space of deleted rows back; a server does so by itself."""
        if self._file is not None:
            with self._errors():
                raw = self._engine.raw_connection()  # outside a transaction, where alone it can be done
                try:
                    raw.cursor().execute("VACUUM")
                finally:
                    raw.close()

    def _prepare(self, create: bool) -> None:
        """Make sure that the schema is the newest one; a file that is no ledger is left as it is."""
        if self._sound:
            return
        with self._errors():
            # Looked at without a lock first: most ledgers are up to date, and others' files stay alone.
            with self._engine.begin() as connection:
                version = schema_version(connection, self.name)
            if version is None and not create:
                raise CoordinatorError("ledger", self.name, "be a decision ledger", "an empty database")
            if version != HEAD:
                with self._writer.begin() as connection:
                    upgrade_schema(connection, self.name)
        write_ahead(self._engine)
        self._sound = True

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Database errors become CoordinatorError."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            if isinstance(cause, CoordinatorError):
                raise cause from error
            reason = str(cause).splitlines()[0]
            raise CoordinatorError("ledger", self.name, "be a usable ledger database", reason) from error


def make_engine(url_or_path: str | Path) -> Engine:
    """An engine that has not connected yet.

    SQLite enforces foreign keys, syncs at every commit and takes the write lock when a writing transaction begins,
    so that it never fails for being outrun halfway.

    Raises
    ------
    CoordinatorError
        If the URL cannot be read or its driver is not installed. Passwords are not shown.
    """
    text = str(url_or_path)
    try:
        url = make_url(text) if "://" in text else URL.create("sqlite", database=text)
        in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
        # Connections of a file close at once, which removes SQLite's -wal and -shm files.
        engine = create_engine(url, poolclass=StaticPool if in_memory else NullPool)
    except (SQLAlchemyError, ModuleNotFoundError, ValueError) as error:
        hidden = text.split("://", 1)[0] + "://..."
        rule = f"be a file or a SQLAlchemy URL with an installed driver ({type(error).__name__})"
        raise CoordinatorError("ledger", "the database", rule, hidden) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def write_ahead(engine: Engine) -> None:
    """Let SQLite log ahead (WAL), so that a reader never blocks the trading process; others do so anyway.

    The mode stays with the file, so it is set on a ledger only, never on a file that was merely looked at. A
    file that another process holds keeps its mode: everything works without.
    """
    if sqlite_file(engine) is not None:
        with suppress(SQLAlchemyError, sqlite3.Error):
            raw = engine.raw_connection()  # outside a transaction, where alone the mode can be changed
            try:
                raw.cursor().execute("PRAGMA journal_mode=WAL")
            finally:
                raw.close()


def sqlite_file(engine: Engine) -> Path | None:
    """The file behind the engine, or None if it is a server or memory."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database in (None, "", ":memory:"):
        return None
    return Path(str(database))


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # Python's driver would commit before and after DDL; we begin ourselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    # NORMAL would lose the last commits, though nothing else, in a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
