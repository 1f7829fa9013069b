"""A change of trust as the ledger, the log and an alert report it."""

from __future__ import annotations

from typing import NamedTuple

from coordinator.decision.pair_records import PairChange
from coordinator.decision.trust_fold import TrustFold
from coordinator.ledger.records import ImprovementRow
from coordinator.settings import Mode, Settings

__all__ = ["TrustReport", "trust_reports"]


class TrustReport(NamedTuple):
    """Of one change.

    Attributes
    ----------
    row : named ``trust_<improvement>``, range before and after; the pair is "*" for the improvement as a whole, for one
        pair 1 is on and 0 off
    log_line : for the log
    alert : for the user where it was switched off, else empty
    """

    row: ImprovementRow
    log_line: str
    alert: str

    @classmethod
    def of(cls, name: str, mode: Mode, change: PairChange) -> TrustReport:
        """Put a change of an improvement into words."""
        where = f" for {change.pair}" if change.pair else ""
        return cls(
            ImprovementRow(change.pair or "*", f"trust_{name}", mode, change.before, change.after),
            f"trust in {name}{where}: range {change.before:.0%} -> {change.after:.0%}, {change.reason}",
            f"Coordinator: {name} is switched off{where}: {change.reason}" if change.after == 0 else "",
        )


def trust_reports(
    trust: TrustFold | None, settings: Settings, skip: int = 0
) -> list[tuple[int, TrustReport]]:
    """(time, report) of each change of the trust, the first ``skip`` of them left out."""
    improvements = settings.improvements
    return [
        (
            change.time,
            TrustReport.of(name, improvements.effective(getattr(improvements, name).mode), change),
        )
        for name, change in (trust.changes[skip:] if trust is not None else ())
    ]
