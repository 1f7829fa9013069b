"""One command at a time in a folder, held by a lock that the operating system frees however its process ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from coordinator.errors import CoordinatorError

__all__ = ["folder_lock"]


@contextmanager
def folder_lock(folder: Path, name: str, owner: str, rule: str, patience: float = 0.0) -> Iterator[None]:
    """Hold a folder's lock; the folder is made where it is missing.

    Parameters
    ----------
    name : of the lock's file
    owner, rule : for the error: whose folder, and what it must be
    patience : seconds to wait for another holder; below 0 for ever

    Raises
    ------
    CoordinatorError
        If another process holds it for longer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / name, timeout=patience):
            yield
    except Timeout:
        raise CoordinatorError("folder", owner, rule, str(folder)) from None
