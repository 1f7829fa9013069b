"""Records by pair that a learner keeps of the pairs it has heard of lately."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["MOST_PAIRS", "recent"]

MOST_PAIRS = 1000  # a changing pair list must not grow the state for ever; the longest silent pair goes first
Record = TypeVar("Record")


def recent(records: dict[str, Record], pair: str, new: Callable[[], Record]) -> Record:
    """A pair's record, made where there is none, as the most recent of at most ``MOST_PAIRS``.

    Examples
    --------
    >>> records = {"A": [1], "B": [2]}
    >>> recent(records, "A", list), list(records)
    ([1], ['B', 'A'])
    """
    record = records.pop(pair, None)
    if record is None:
        record = new()
        while len(records) >= MOST_PAIRS:
            del records[next(iter(records))]
    records[pair] = record
    return record
