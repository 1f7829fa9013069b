"""Risk that is earned: what loses is traded smaller until it earns again.

The virtual trades of the last days, taken or not, say whether the baseline makes money at present. Where their R sums
to nothing or less, new positions get a share of their risk only. Virtual trades go on being made in full, so the way
back does not depend on what is traded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from coordinator.settings.trade import EarnedRiskSettings
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = ["EarnedRisk"]


class EarnedRisk:
    """Learns the share of the risk budget that new positions get.

    Parameters
    ----------
    settings : EarnedRiskSettings

    Attributes
    ----------
    days_ : deque of (day, sum of R, outcomes), the days within the window that brought outcomes
    """

    def __init__(self, settings: EarnedRiskSettings) -> None:
        self.settings = settings
        self.days_: deque[tuple[int, float, int]] = deque()

    def learn(self, now: int, r: Floats) -> None:
        """Take what resolved since the last step.

        Parameters
        ----------
        now : seconds since the epoch, the beginning of a day
        r : shape (n,), R after costs of signals that might have been taken; NaN is passed over
        """
        known = r[~np.isnan(r)]
        if len(known):
            self.days_.append((now, float(known.sum()), len(known)))
        while self.days_ and self.days_[0][0] <= now - self.settings.days * SECONDS_PER_DAY:
            self.days_.popleft()

    @property
    def share(self) -> float:
        """Share of the risk, ``settings.share`` or 1; 1 until there are ``minimum_outcomes`` in the window.

        Examples
        --------
        >>> earned = EarnedRisk(EarnedRiskSettings(minimum_outcomes=2))
        >>> earned.learn(0, np.array([-1.0])), earned.share
        (None, 1.0)
        >>> earned.learn(86400, np.array([0.4])), earned.share
        (None, 0.3)
        >>> earned.learn(172800, np.array([0.8])), earned.share
        (None, 1.0)
        """
        count = sum(day[2] for day in self.days_)
        if count < self.settings.minimum_outcomes:
            return 1.0
        return self.settings.share if sum(day[1] for day in self.days_) <= 0.0 else 1.0

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types; ``restore`` gives it back to the bit."""
        return {"days": [list(day) for day in self.days_]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self.days_ = deque((int(day), float(total), int(count)) for day, total, count in state["days"])
