"""A table of texts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rows", "Table"]

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    head, rows : texts; the first column is the name
    note : what a reader must know; may be empty
    folded : whether a page shows it closed: long, and summed up elsewhere
    """

    title: str
    head: tuple[str, ...]
    rows: Rows
    note: str = ""
    folded: bool = False
