"""When the portfolio is hedged and how large (spec 000 section 3, DESIGN.md 4.9). No ML, no market access."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from coordinator.settings.portfolio import HedgeSettings

__all__ = ["Exposure", "Hedge", "Stress", "net_long", "rebalance"]


class Exposure(NamedTuple):
    """An open position: direction +1 or -1 and its notional (amount x price) in the stake currency, >= 0."""

    direction: int
    notional: float


class Stress(NamedTuple):
    """What the triggers look at, ratios; NaN where unknown, which triggers nothing and holds nothing back."""

    drawdown: float
    volatility: float = float("nan")
    correlation: float = float("nan")


def net_long(held: Iterable[Exposure]) -> float:
    """Long minus short notional; at least 0.

    >>> net_long([Exposure(1, 500.0), Exposure(-1, 200.0)])
    300.0
    """
    return max(sum(position.direction * position.notional for position in held), 0.0)


def rebalance(current: float, target: float, tolerance: float, minimum: float) -> float:
    """Change of the hedge's notional that is worth its fees.

    Parameters
    ----------
    current, target : notionals, >= 0
    tolerance : share of the target within which nothing is done
    minimum : the exchange's smallest order, notional: none below it is made, none leaves less than it

    Returns
    -------
    float
        Positive to add, negative to reduce, 0 for nothing. A target of 0 is a close, which is not decided here.

    Examples
    --------
    >>> [rebalance(current, 500.0, 0.2, 10.0) for current in (300.0, 450.0, 700.0)]
    [200.0, 0.0, -200.0]
    """
    change = target - current
    if target < minimum or abs(change) <= tolerance * target or abs(change) < minimum:
        return 0.0
    return change


class Hedge:
    """Whether the hedge is active: on above any trigger, off when all are below their release levels.

    Attributes
    ----------
    active : bool
    reason : what decided last, e.g. "drawdown 12 %"; empty before anything did
    since : time of the last change, seconds since the epoch; 0 before the first
    """

    def __init__(self, settings: HedgeSettings) -> None:
        self._settings = settings
        self.active = False
        self.reason = ""
        self.since = 0

    def step(self, time: int, stress: Stress, exposure: float) -> bool:
        """Take in one candle; whether ``active`` changed.

        Parameters
        ----------
        time : the candle's open time
        exposure : net long exposure without the hedge, >= 0; volatility and correlation alone hedge nothing that is
            not there, a drawdown also locks what is not open yet
        """
        s = self._settings
        checks = (
            ("drawdown", stress.drawdown, s.drawdown, s.release, True),
            ("volatility", stress.volatility, s.volatility, s.release, exposure > 0),
            ("average correlation", stress.correlation, s.correlation, s.correlation_release, exposure > 0),
        )
        before = self.active
        if not before:
            over = [
                (name, value)
                for name, value, level, _, counts in checks
                if counts and level is not None and value > level
            ]
            self.active = bool(over)
            if over:
                self.reason = _shown(*over[0])
        else:
            held = [
                name
                for name, value, level, release, _ in checks
                if level is not None and value >= level * release
            ]
            self.active = bool(held)
            if not held:
                self.reason = _shown("drawdown", stress.drawdown)
        if self.active != before:
            self.since = time
        return self.active != before

    def target(self, exposure: float) -> float:
        """Notional that the hedge should have against a net long exposure; 0 while it is not active."""
        return self._settings.share * max(exposure, 0.0) if self.active else 0.0

    def state(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"active": self.active, "reason": self.reason, "since": self.since}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.active, self.reason = bool(state["active"]), str(state["reason"])
        self.since = int(state["since"])


def _shown(name: str, value: float) -> str:
    return (
        f"{name} {value:.2f}" if name == "average correlation" else f"{name} {value:.0%}".replace("%", " %")
    )
