"""Column types that mean the same in SQLite and PostgreSQL: moments in UTC, and JSON that comes back as it went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import JSON, DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from coordinator.errors import CoordinatorError

__all__ = ["ExactJson", "UtcDateTime", "plain_json"]


class UtcDateTime(TypeDecorator[datetime]):
    """A moment at microseconds: ``timestamptz`` in PostgreSQL, UTC text in SQLite; timezone-aware UTC in Python.

    A time without timezone is refused (CoordinatorError): whose clock it was is unknown.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise CoordinatorError("time", "a ledger row", "carry a timezone", value)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactJson(TypeDecorator[Any]):
    """JSON in the form of :func:`plain_json`; PostgreSQL keeps its text, so floats stay the same to the bit."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return plain_json(value, "a ledger row")


def plain_json(value: Any, owner: str) -> Any:
    """The value in Python's own JSON types: what reading it back gives.

    NaN becomes None; tuples and arrays become lists.

    Raises
    ------
    CoordinatorError
        If something in it is infinite, is keyed by other things than texts (JSON would turn 1 into "1"), or is of
        no JSON type.

    Examples
    --------
    >>> plain_json({"mean": float("nan"), "counts": (1, 2.5)}, "the state")
    {'mean': None, 'counts': [1, 2.5]}
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise CoordinatorError("number", owner, "be finite, or NaN where unknown", value)
        return None if math.isnan(value) else value
    if isinstance(value, Mapping):
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            raise CoordinatorError("key", owner, "be a text", odd[0])
        return {key: plain_json(item, owner) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item, owner) for item in value]
    raise CoordinatorError("value", owner, "be of a JSON type", type(value).__name__)
