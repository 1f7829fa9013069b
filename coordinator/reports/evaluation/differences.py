"""Each account less the one it is compared with, and whether that is more than noise."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.reports.difference import Difference, annual_difference
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.evaluation import Evaluation

__all__ = ["Compared", "compared"]


@dataclass(frozen=True)
class Compared:
    """An account, and the difference of its daily returns a year from another's.

    Attributes
    ----------
    same : bool
        Whether the two accounts are one: not a day differs.
    """

    run: AccountRun
    against: str
    difference: Difference
    same: bool

    @property
    def sign(self) -> int:
        """+1 better, -1 worse, 0 where the 90 % interval holds 0 or nothing is known."""
        if self.difference.low > 0:
            return 1
        return -1 if self.difference.high < 0 else 0

    @property
    def verdict(self) -> str:
        """In words."""
        if self.same:
            return "the same account"
        if self.difference.mean != self.difference.mean:
            return "too few days"
        return ("worse", "not beyond noise", "better")[self.sign + 1]


def compared(evaluation: Evaluation, group: str) -> list[Compared]:
    """The accounts of a group that are compared with another one."""
    found = []
    for run in evaluation.known(group):
        other = evaluation.account(evaluation.against.get(run.name, ""))
        if other is not None:
            difference = annual_difference(run.daily, other.daily)
            found.append(Compared(run, other.name, difference, run.daily.equals(other.daily)))
    return found
