"""Trainings that failed in a bot: FreqAI logs them and goes on, so they are remembered for whoever tells the user."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["FailedTrainings", "remembered"]

FailedTrainings = deque[tuple[int, str]]
"""End of the training's window, seconds since the epoch, and the name of what was raised."""


@contextmanager
def remembered(failed: FailedTrainings, end: int) -> Iterator[None]:
    """What is raised within is remembered, and raised on.

    Examples
    --------
    >>> failed = FailedTrainings()
    >>> try:
    ...     with remembered(failed, 3600):
    ...         raise IndexError
    ... except IndexError:
    ...     print(failed)
    deque([(3600, 'IndexError')])
    """
    try:
        yield
    except Exception as error:
        failed.append((end, type(error).__name__))
        raise
