"""One process at a time trains models of a user directory's ledger: a bot, or a command."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from coordinator.errors import CoordinatorError
from coordinator.file_lock import file_lock

__all__ = ["learning_lock"]


def learning_lock(user_data: Path) -> AbstractContextManager[None]:
    """Hold the lock; the operating system frees it when its process ends, however it does.

    Raises
    ------
    CoordinatorError
        If another process holds it.
    """
    path = user_data / "coordinator-learning.lock"
    rule = "be free: another process trains; try again when it is done (a killed one leaves no lock)"
    return file_lock(path, CoordinatorError("lock", "coordinator learning", rule, str(path)))
