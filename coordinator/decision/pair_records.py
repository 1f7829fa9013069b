"""What a learner keeps per pair: its record, and the changes that it made of a pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["MAX_PAIRS", "PairChange", "latest_record"]

MAX_PAIRS = (
    1000  # a changing pair list must not grow the state for ever; the pair unused for longest is dropped
)
Record = TypeVar("Record")


@dataclass(frozen=True)
class PairChange:
    """A learner changed a number of a pair.

    Attributes
    ----------
    time : int, seconds since the epoch
    pair : str, "" for all pairs together
    before, after : float, 0..1; a threshold, or the trust in an improvement as a share of the base (of a single pair
        0 is off and 1 is as the whole)
    reason : str, for the log and the ledger
    """

    time: int
    pair: str
    before: float
    after: float
    reason: str


def latest_record(records: dict[str, Record], pair: str, new: Callable[[], Record]) -> Record:
    """A pair's record, created if missing, moved to the end of at most ``MAX_PAIRS``.

    Examples
    --------
    >>> records = {"A": [1], "B": [2]}
    >>> latest_record(records, "A", list), list(records)
    ([1], ['B', 'A'])
    """
    record = records.pop(pair, None)
    if record is None:
        record = new()
        while len(records) >= MAX_PAIRS:
            del records[next(iter(records))]
    records[pair] = record
    return record
