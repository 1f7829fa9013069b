"""Bringing a database to the newest schema, by Alembic, inside the caller's transaction."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema_history, schema_models

__all__ = ["HEAD", "VERSIONS", "schema_version", "upgrade_schema"]

VERSIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""All versions of the schema, oldest first: the revisions under ``migrations/versions``."""
HEAD: Final = VERSIONS[-1]

_FOLDER: Final = Path(__file__).parent / "migrations"
_FIRST_TABLES: Final = {"runs", "signals", "votes", "decisions", "outcomes"}
# Naming the modules here makes sure that the metadata is whole.
_METADATA: Final = schema_history.trades.metadata
_TABLES: Final = frozenset(_METADATA.tables) | set(schema_models.ml_models.metadata.tables)
_LOCK: Final = 0x6C656467  # any number will do: all ledgers of a server share it


def schema_version(connection: Connection, owner: str) -> str | None:
    """The database's version; None if it may become a ledger: empty, or a server's without our names in it.

    Parameters
    ----------
    owner : str
        The database's name, for errors.

    Raises
    ------
    CoordinatorError
        If it holds something else, or a ledger of a newer version of this package.
    """
    tables = set(inspect(connection).get_table_names())
    version: str | None = None
    if "alembic_version" in tables:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    elif "schema_version" in tables and tables >= _FIRST_TABLES:
        # Written before the schema had migrations.
        number = connection.execute(text("SELECT version FROM schema_version")).scalar_one_or_none()
        version = None if number is None else f"{number:04d}"
    if version is not None and version in VERSIONS and tables >= _FIRST_TABLES:
        return version
    if version is not None and tables >= _FIRST_TABLES:
        rule = f"have schema version {HEAD} or an older one; a newer version of this package has written it"
        raise CoordinatorError("ledger", owner, rule, version)
    ours = tables & {*_TABLES, "alembic_version", "schema_version"}
    is_file = connection.dialect.name == "sqlite"
    if ours or (tables and is_file):
        raise CoordinatorError("ledger", owner, "be a decision ledger", f"tables {sorted(tables)}")
    return None


def upgrade_schema(connection: Connection, owner: str, to: str = HEAD) -> None:
    """Create the schema, or bring an older one up to a version; all of it in the open transaction, or nothing.

    A ledger from before the migrations is recognised and stamped first. Two processes that do this at once wait
    for each other.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    version = schema_version(connection, owner)
    if version is not None and version >= to:
        return
    # Its notes would stand in the bot's log, one of them wrong: DDL is part of our transaction in SQLite too. The
    # first come with its import, which takes a while, and a ledger is rarely old or new.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    if version is None and to == HEAD:
        # All tables at once, as the migrations would leave them one after another (a test compares the two).
        _METADATA.create_all(connection, checkfirst=False)
        MigrationContext.configure(connection).stamp(ScriptDirectory(str(_FOLDER)), HEAD)
        return
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    if version is not None and "alembic_version" not in inspect(connection).get_table_names():
        command.stamp(config, version)
    command.upgrade(config, to)
