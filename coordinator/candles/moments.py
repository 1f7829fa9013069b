"""Moments as options name them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from coordinator.errors import CoordinatorError

__all__ = ["parse_moment"]


def parse_moment(name: str, owner: str, text: str) -> datetime:
    """A day or a moment of ISO 8601, UTC unless it says otherwise; CoordinatorError for anything else.

    Examples
    --------
    >>> parse_moment("start", "coordinator replay", "2023-06-01T06:00").isoformat()
    '2023-06-01T06:00:00+00:00'
    >>> parse_moment("start", "coordinator replay", "2023-06-01T06:00:01+02:00").isoformat()
    '2023-06-01T04:00:01+00:00'
    """
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    rule = "be a day such as 2023-06-01 or a minute such as 2023-06-01T06:00, UTC"
    raise CoordinatorError(name, owner, rule, text)
