"""The moment that a simulated bot has come to, kept in a file so that a later one can go on from there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from coordinator.errors import CoordinatorError
from coordinator.whole_file import write_whole

__all__ = ["keep_moment", "kept_moment"]


def keep_moment(path: Path, moment: datetime) -> None:
    """Write it, whole or not at all."""
    write_whole(path, moment.isoformat().encode())


def kept_moment(path: Path) -> datetime | None:
    """It, in UTC; None where there is no file.

    Raises
    ------
    CoordinatorError
        If the file cannot be read as one.
    """
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise CoordinatorError("clock", str(path), "hold a moment", text[:40]) from None
