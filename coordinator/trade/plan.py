"""What was planned for a position: its tranches, stop and target."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from coordinator.trade.entries import EntryPlan

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """The plan of one position.

    Attributes
    ----------
    direction : +1 or -1
    confidence : unified confidence of the signal, 0..1
    stop_distance, target_distance : ratios of the anchor
    entries : the tranches
    anchor : price of the first fill, 0 until it is known
    price : close of the signal's candle, 0 where there was none
    size : multiplier of the planned size (volatility sizing)
    kelly : equity to risk at most by the Kelly criterion, ratio; None where it has nothing to say
    time : open time of the signal's candle, 0 where there was none
    clock : that the signal was read on; "" where there was none: the slowest
    """

    direction: int
    confidence: float
    stop_distance: float
    target_distance: float
    entries: EntryPlan
    anchor: float = 0.0
    price: float = 0.0
    size: float = 1.0
    kelly: float | None = None
    time: int = 0
    clock: str = ""

    @property
    def target_rate(self) -> float:
        """Price of the target."""
        return self.anchor * (1 + self.direction * self.target_distance)

    def to_json(self) -> str:
        """For the trade's custom data."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Inverse of ``to_json``; ValueError, KeyError or TypeError for anything else."""
        data = json.loads(text)
        entries = EntryPlan(tuple(data["entries"]["shares"]), tuple(data["entries"]["offsets"]))
        return cls(**{**data, "entries": entries})
