"""One process at a time trains models of a user directory's ledger: a bot, or a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from coordinator.errors import CoordinatorError

__all__ = ["learning_lock"]


@contextmanager
def learning_lock(user_data: Path) -> Iterator[None]:
    """Hold the lock; the operating system frees it when its process ends, however it does.

    Raises
    ------
    CoordinatorError
        If another process holds it.
    """
    user_data.mkdir(parents=True, exist_ok=True)
    path = user_data / "coordinator-learning.lock"
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        rule = "be free: another process trains; try again when it is done (a killed one leaves no lock)"
        raise CoordinatorError("lock", "coordinator learning", rule, str(path)) from None
