"""One process at a time writes a live run; the operating system or the server frees it however the process ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from sqlalchemy import Engine, text

from coordinator.errors import CoordinatorError

__all__ = ["hold_run"]

_ADVISORY: Final = 0x636F6F72  # "coor", the class of our advisory locks
_held: dict[tuple[str, int], Any] = {}  # this process's; a bot that reloads its config opens its run again


def hold_run(engine: Engine, file: Path | None, run_id: int, name: str) -> None:
    """Hold a live run until this process ends; holding it again changes nothing.

    A SQLite ledger has a lock file beside it, PostgreSQL an advisory lock on a connection that stays open. A ledger in
    memory is its process's anyway, and other servers are not locked.

    Parameters
    ----------
    file : of a SQLite ledger
    name : the ledger's, for the error

    Raises
    ------
    CoordinatorError
        If another process holds it.
    """
    key = str(engine.url), run_id
    if key in _held:
        return
    if file is not None:
        lock = FileLock(file.with_name(f"{file.name}.run{run_id}.lock"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise _taken(run_id, name) from None
        _held[key] = lock
    elif engine.dialect.name == "postgresql":
        connection = engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        query = text("SELECT pg_try_advisory_lock(:kind, :run)")
        if not connection.execute(query, {"kind": _ADVISORY, "run": run_id}).scalar_one():
            connection.close()
            raise _taken(run_id, name)
        _held[key] = connection


def _taken(run_id: int, name: str) -> CoordinatorError:
    rule = (
        "be no other process's: two bots on one ledger need a bot_name or a db_url of their own, and a bot is started "
        "once"
    )
    return CoordinatorError("run", f"the ledger {name}", rule, f"run {run_id}, which a running bot holds")
