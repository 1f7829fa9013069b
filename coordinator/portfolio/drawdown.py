"""Drawdown of the equity from its highest value of some days, fed candle by candle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coordinator.types import SECONDS_PER_DAY

__all__ = ["DrawdownTracker"]


class DrawdownTracker:
    """Remembers each day's highest equity; the peak is the highest of the last days.

    Parameters
    ----------
    days : days that the peak looks back on, today included, at least 1

    Attributes
    ----------
    peak : highest equity of these days; 0 before the first
    drawdown : 1 - equity / peak, 0..1 (above 1 where the equity is negative)

    Examples
    --------
    >>> tracker = DrawdownTracker(days=2)
    >>> [round(tracker.update(day * 86_400, equity), 2) for day, equity in enumerate((100, 90, 81))]
    [0.0, 0.1, 0.1]
    """

    def __init__(self, days: int) -> None:
        self._window = days
        self._highs: dict[int, float] = {}
        self._day = -1
        self.peak = self.drawdown = 0.0

    def update(self, time: int, equity: float) -> float:
        """The drawdown with a new value; times (seconds since the epoch) ascend. NaN leaves everything as it was."""
        if equity != equity:
            return self.drawdown
        day = time // SECONDS_PER_DAY
        if day != self._day:
            self._day = day
            self._highs = {when: high for when, high in self._highs.items() if when > day - self._window}
            self._highs[day] = equity
            self.peak = max(self._highs.values())
        elif equity > self._highs[day]:
            self._highs[day] = equity
            self.peak = max(self.peak, equity)
        self.drawdown = 1 - equity / self.peak if self.peak > 0 else 0.0
        return self.drawdown

    @property
    def highs(self) -> dict[int, float]:
        """Highest equity of each of the last days, by day since the epoch; a copy."""
        return dict(self._highs)

    def state(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"highs": [[day, high] for day, high in self._highs.items()], "drawdown": self.drawdown}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._highs = {int(day): float(high) for day, high in state["highs"]}
        self._day = max(self._highs, default=-1)
        self.peak = max(self._highs.values(), default=0.0)
        self.drawdown = float(state["drawdown"])
