"""A process in another time: its clock moves while the main thread sleeps, and stands still while it works.

So a bot misses no candle however fast time runs, and the same run always meets the same moments: what a replay and a
demo need. ``time.time``, ``datetime.now`` and the like are turned by time-machine for every thread of the process, the
monotonic clock (sockets, asyncio) is not; ``time.sleep`` counts in the seconds of the simulated clock.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final

import time_machine

from coordinator.errors import CoordinatorError

__all__ = ["SimulatedClock"]

_REAL_SLEEP: Final = time.sleep
_FRAME: Final = 0.05  # real seconds between two movements of a clock with a finite speed
_SHORT: Final = 0.25  # sleeps up to this wait for another thread, not for the market
_POLL: Final = 0.002


class SimulatedClock:
    """Turns this process's clock from entering to leaving a ``with`` block.

    Parameters
    ----------
    start : datetime.datetime
        The first moment, timezone-aware.
    speed : float
        Seconds of the simulated clock in a real one while the main thread sleeps, above 0; infinity never waits.
    end : datetime.datetime, optional
        When it is reached, the sleep of the main thread raises KeyboardInterrupt, which ends a bot in good order.

    Attributes
    ----------
    busy : list of callables
        While one of them is true the clock stands still although the main thread sleeps, e.g. while models train.
    slept : list of callables
        Each is called with the moment at the end of a sleep of the main thread.

    Examples
    --------
    >>> with SimulatedClock(datetime(2023, 6, 1, tzinfo=UTC), speed=math.inf) as clock:
    ...     time.sleep(3600.0)
    ...     datetime.now(UTC).isoformat()
    '2023-06-01T01:00:00+00:00'
    """

    def __init__(self, start: datetime, speed: float = math.inf, end: datetime | None = None) -> None:
        if not speed > 0:
            raise CoordinatorError("speed", "the simulated clock", "be above 0", speed)
        if start.tzinfo is None:
            raise CoordinatorError("start", "the simulated clock", "have a time zone", start.isoformat())
        if end is not None and end <= start:
            raise CoordinatorError("end", "the simulated clock", f"be after {start}", end.isoformat())
        self.speed, self.end = speed, end
        self.busy: list[Callable[[], bool]] = []
        self.slept: list[Callable[[datetime], None]] = []
        self._now = start.astimezone(UTC)
        self._travel = time_machine.travel(self._now, tick=False)
        self._coordinates: time_machine.Traveller | None = None
        self._main = threading.main_thread()

    @property
    def now(self) -> datetime:
        """The present of this process, UTC."""
        return self._now

    def __enter__(self) -> SimulatedClock:
        """Turn the clock."""
        self._coordinates = self._travel.start()
        time.sleep = self.sleep  # type: ignore[assignment]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the real clock back."""
        time.sleep = _REAL_SLEEP
        self._travel.stop()
        self._coordinates = None

    def sleep(self, seconds: float) -> None:
        """What ``time.sleep`` is meanwhile: the main thread's moves the clock, another thread's waits as long."""
        if seconds <= _SHORT:
            _REAL_SLEEP(max(0.0, seconds))
        elif threading.current_thread() is self._main:
            self._advance(seconds)
        else:
            _REAL_SLEEP(max(_POLL, seconds / self.speed))

    def _advance(self, seconds: float) -> None:
        left = seconds
        while left > 0:
            while any(is_busy() for is_busy in self.busy):
                _REAL_SLEEP(_POLL)
            step = min(left, self.speed * _FRAME)
            if self.speed < math.inf:
                _REAL_SLEEP(step / self.speed)
            self._move(step)
            left -= step
        for listener in self.slept:
            listener(self._now)

    def _move(self, seconds: float) -> None:
        moved = self._now + timedelta(seconds=seconds)
        self._now = moved if self.end is None else min(moved, self.end)
        if self._coordinates is not None:
            self._coordinates.move_to(self._now)
        if self._now == self.end:
            raise KeyboardInterrupt(f"the simulated clock has reached {self.end}")
