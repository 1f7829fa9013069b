"""Opening the ledger's database: a SQLite file by path, anything SQLAlchemy knows by URL."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, StaticPool

from coordinator.errors import CoordinatorError

__all__ = ["display_url", "make_engine", "sqlite_file", "write_ahead"]


def make_engine(url_or_path: str | Path) -> Engine:
    """An engine that has not connected yet. SQLite enforces foreign keys.

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
        shown = text.split("://", 1)[0] + "://..."
        rule = f"be a file or a SQLAlchemy URL with an installed driver ({type(error).__name__})"
        raise CoordinatorError("ledger", "the database", rule, shown) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def write_ahead(engine: Engine) -> None:
    """Let SQLite log ahead (WAL), so that a reader never blocks the trading process; others do so anyway.

    The mode stays with the file, so it is set on a ledger only, never on a file that was merely looked at. A
    file that another process holds keeps its mode: everything works without.
    """
    if sqlite_file(engine) is not None:
        with suppress(SQLAlchemyError), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def sqlite_file(engine: Engine) -> Path | None:
    """The file behind the engine, or None if it is a server or memory."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database in (None, "", ":memory:"):
        return None
    return Path(str(database))


def display_url(engine: Engine) -> str:
    """The URL without its password."""
    return engine.url.render_as_string(hide_password=True)


def _prepare_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
