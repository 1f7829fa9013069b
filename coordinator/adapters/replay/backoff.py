"""Freqtrade's waits before it asks an exchange again, in the seconds of the simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from freqtrade.exchange import common

__all__ = ["simulated_backoff"]


class _Asyncio:
    """The module asyncio for one reader, whose sleeps are shorter."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        """As long as the simulated clock would need for it."""
        await asyncio.sleep(seconds / self._speed)


@contextmanager
def simulated_backoff(speed: float) -> Iterator[None]:
    """While it lasts a failed request is tried again after simulated seconds.

    asyncio counts by the monotonic clock, which is not turned: a year of faults would wait hours of real time.

    Parameters
    ----------
    speed : seconds of the simulated clock in a real one; infinity never waits
    """
    before = vars(common).get("asyncio")
    if before is not None:
        vars(common)["asyncio"] = _Asyncio(speed)
    try:
        yield
    finally:
        if before is not None:
            vars(common)["asyncio"] = before
