"""Moments as options name them."""

from __future__ import annotations

from datetime import UTC, datetime

from coordinator.errors import CoordinatorError

__all__ = ["parse_moment"]


def parse_moment(name: str, owner: str, text: str) -> datetime:
    """A day or a minute, UTC; CoordinatorError otherwise.

    Examples
    --------
    >>> parse_moment("start", "coordinator replay", "2023-06-01T06:00").isoformat()
    '2023-06-01T06:00:00+00:00'
    """
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y%m%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    rule = "be a day such as 2023-06-01 or a minute such as 2023-06-01T06:00, UTC"
    raise CoordinatorError(name, owner, rule, text)
