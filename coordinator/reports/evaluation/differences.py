"""Each account less the one it is compared with, in return and in Sharpe ratio, and whether that is beyond noise."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.reports.difference import Difference, annual_difference, sharpe_difference
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.evaluation import BASELINE, Evaluation

__all__ = ["Compared", "compared"]

WORDS = ("worse", "not beyond noise", "better")


@dataclass(frozen=True)
class Compared:
    """An account, and the difference of its daily returns a year from another's.

    Attributes
    ----------
    difference : of the daily returns, a year
    sharpe : of the Sharpe ratios, which a smaller exposure alone does not change
    same : bool
        Whether the two accounts are one: not a day differs.
    """

    run: AccountRun
    against: str
    difference: Difference
    sharpe: Difference
    same: bool

    @property
    def label(self) -> str:
        """The account's name, with the one it is compared with where that is not the baseline."""
        return self.run.name if self.against == BASELINE else f"{self.run.name}, less {self.against}"

    @property
    def sign(self) -> int:
        """+1 better, -1 worse, 0 where the 90 % interval holds 0 or nothing is known."""
        return _sign(self.difference)

    @property
    def verdict(self) -> str:
        """In words."""
        if self.same:
            return "the same account"
        if self.difference.mean != self.difference.mean:
            return "too few days"
        return WORDS[_sign(self.difference) + 1]

    @property
    def sharpe_verdict(self) -> str:
        """The same of the Sharpe ratio."""
        return "" if self.same or self.sharpe.mean != self.sharpe.mean else WORDS[_sign(self.sharpe) + 1]


def _sign(difference: Difference) -> int:
    if difference.low > 0:
        return 1
    return -1 if difference.high < 0 else 0


def compared(evaluation: Evaluation, group: str) -> list[Compared]:
    """The accounts of a group that are compared with another one."""
    found = []
    for run in evaluation.known(group):
        other = evaluation.account(evaluation.against.get(run.name, ""))
        if other is not None:
            values = run.daily, other.daily
            same = run.daily.equals(other.daily)
            found.append(
                Compared(run, other.name, annual_difference(*values), sharpe_difference(*values), same)
            )
    return found
