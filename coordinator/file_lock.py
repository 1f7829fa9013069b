"""One process at a time, by a file's lock that the operating system frees however its process ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from coordinator.errors import CoordinatorError

__all__ = ["file_lock"]


@contextmanager
def file_lock(path: Path, taken: CoordinatorError, patience: float = 0.0) -> Iterator[None]:
    """Hold a lock; its file's folder is made where it is missing.

    Parameters
    ----------
    taken : raised where another process holds the lock for longer
    patience : seconds to wait for it; below 0 for ever
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise taken from None
    try:
        yield
    finally:
        lock.release()
