"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, then put it there: whoever reads it finds the old content or the new.

    Parameters
    ----------
    path : pathlib.Path
        In a folder that exists.
    """
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
