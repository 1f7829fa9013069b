"""Where a study is kept: a journal file, or a database by URL."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalStorage
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

from coordinator.errors import CoordinatorError
from coordinator.shown_url import shown_url

__all__ = ["open_storage"]

OWNER = "coordinator optimize"
SCHEMA_TRIES = 5


class _JournalLock:
    """A lock that a killed process leaves free, and that cuts off what such a process had half written.

    Optuna's own locks are files, which outlive their process by half a minute; and a line without its end would
    grow together with the next one, after which no process could read the journal again.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = FileLock(journal.with_name(journal.name + ".lock"))

    def acquire(self) -> bool:
        self._lock.acquire()
        with suppress(FileNotFoundError), self._journal.open("r+b") as file:
            size = file.seek(0, 2)
            while size:
                file.seek(size - 1)
                if file.read(1) == b"\n":
                    break
                size -= 1
            file.truncate(size)
        return True

    def release(self) -> None:
        self._lock.release()


def open_storage(url: str | None, journal: Path) -> BaseStorage:
    """Open a storage, made if it is not there.

    Parameters
    ----------
    url : SQLAlchemy's, with or without a driver's name; None for the journal file

    Raises
    ------
    CoordinatorError
        If it cannot be opened. Passwords are not shown.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is None:
        try:
            journal.parent.mkdir(parents=True, exist_ok=True)
            return JournalStorage(JournalFileBackend(str(journal), lock_obj=_JournalLock(journal)))  # type: ignore[arg-type]
        except (OSError, ValueError, KeyError) as error:
            raise CoordinatorError(
                "--storage", OWNER, f"be a readable journal ({error})", str(journal)
            ) from None
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        return _database(parsed.render_as_string(hide_password=False))
    except (SQLAlchemyError, ImportError, ValueError, RuntimeError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        rule = f"be a URL such as postgresql://user@host/database ({reason})"
        raise CoordinatorError("--storage", OWNER, rule, shown_url(url)) from None


def _database(url: str) -> RDBStorage:
    """Optuna's storage in a database; whoever makes its tables at the same moment as another process tries again."""
    for _ in range(SCHEMA_TRIES):
        with suppress(IntegrityError, ProgrammingError):
            return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        time.sleep(random.uniform(0.2, 1.0))
    return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
