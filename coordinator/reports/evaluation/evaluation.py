"""Everything a report of an evaluation is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from coordinator.reports.evaluation.account_run import AccountRun

__all__ = ["BASELINE", "HOLD", "HOLD_EXPOSED", "ML", "UNEARNED", "Evaluation"]

BASELINE, ML, UNEARNED = "TechnicalBaseline", "MLCoordinator", "ML at 70 %, unearned"
HOLD, HOLD_EXPOSED = "Buy and hold", "Buy and hold, as exposed as TechnicalBaseline"


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that is done.

    Attributes
    ----------
    title : time, pairs, market
    command : what makes it again
    currency : of the stake
    fee : of an order's value, ratio
    accounts : mapping of name to AccountRun
        Of every variant, buy and hold among them; some may have a problem instead of an account.
    groups : mapping of group ("accounts", "say", ...) to names, in the order of the tables
    against : mapping of name to the account that it is compared with
    regimes : pandas.Series
        State of the market ("bull", ...) known at each midnight (UTC).
    tried : int
        Variants tried before, for the deflated Sharpe ratio.
    """

    title: str
    command: str
    currency: str
    fee: float
    accounts: Mapping[str, AccountRun]
    groups: Mapping[str, tuple[str, ...]]
    against: Mapping[str, str]
    regimes: pd.Series
    tried: int

    def known(self, group: str) -> list[AccountRun]:
        """Accounts of a group, those without a problem."""
        runs = (self.accounts[name] for name in self.groups.get(group, ()) if name in self.accounts)
        return [run for run in runs if not run.problem]

    def account(self, name: str) -> AccountRun | None:
        """An account; None where there is none."""
        run = self.accounts.get(name)
        return None if run is None or run.problem else run
