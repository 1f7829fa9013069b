"""A change of trust as the ledger, the log and an alert tell it."""

from __future__ import annotations

from typing import NamedTuple

from coordinator.decision.trust import TrustChange
from coordinator.ledger.records import ImprovementRow
from coordinator.settings import Mode

__all__ = ["Told"]


class Told(NamedTuple):
    """Of one change.

    Attributes
    ----------
    row : named ``trust_<improvement>``, range before and after; the pair is "*" for the improvement as a whole, for one
        pair 1 is on and 0 off
    line : for the log
    alert : for the user where it was switched off, else empty
    """

    row: ImprovementRow
    line: str
    alert: str

    @classmethod
    def of(cls, name: str, mode: Mode, x: TrustChange) -> Told:
        """Put a change of an improvement into words."""
        where = f" for {x.pair}" if x.pair else ""
        return cls(
            ImprovementRow(x.pair or "*", f"trust_{name}", mode, x.before, x.after),
            f"trust in {name}{where}: range {x.before:.0%} -> {x.after:.0%}, {x.reason}",
            f"Coordinator: {name} is switched off{where}: {x.reason}" if x.after == 0 else "",
        )
