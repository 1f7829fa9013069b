"""A user's mistake becomes Freqtrade's own error: one line in the log, exit code not 0, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from freqtrade.exceptions import OperationalException

from coordinator.errors import CoordinatorError

__all__ = ["StoredModelsError", "as_operational"]


class StoredModelsError(OperationalException):
    """A model folder holds what was made with something else: no run goes on with that, nor without ML instead."""


@contextmanager
def as_operational() -> Iterator[None]:
    """Turn every ``CoordinatorError`` inside into an ``OperationalException`` with the same words."""
    try:
        yield
    except CoordinatorError as error:
        raise OperationalException(str(error)) from None
