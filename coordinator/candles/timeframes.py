"""Timeframes such as "1h" as milliseconds, and the grid their candles open on."""

from __future__ import annotations

import re
from typing import Final

from coordinator.errors import CoordinatorError

__all__ = ["grid_offset_milliseconds", "timeframe_milliseconds"]

_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PATTERN: Final = re.compile(r"([1-9]\d{0,3})([smhdw])")
# The epoch was a Thursday; weekly candles open on Mondays.
_MONDAY_OFFSET: Final = 4 * 86_400_000


def timeframe_milliseconds(timeframe: str) -> int:
    """Length of a timeframe in milliseconds.

    Parameters
    ----------
    timeframe : str
        A positive number and one of s, m, h, d, w. Months have no fixed length and are not supported.

    Raises
    ------
    CoordinatorError
        If it is anything else.

    Examples
    --------
    >>> timeframe_milliseconds("4h")
    14400000
    """
    match = _PATTERN.fullmatch(timeframe)
    if match is None:
        raise CoordinatorError("timeframe", "the candles", "be a number and one of s, m, h, d, w", timeframe)
    return int(match[1]) * _UNITS[match[2]]


def grid_offset_milliseconds(timeframe: str) -> int:
    """Where the grid of open times starts, in milliseconds after the epoch: 0; weeks start on a Monday.

    Examples
    --------
    >>> grid_offset_milliseconds("1h"), grid_offset_milliseconds("1w") // 86_400_000
    (0, 4)
    """
    return _MONDAY_OFFSET if timeframe.endswith("w") else 0
