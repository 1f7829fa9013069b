"""A bot's account as its ledger tells it: realised profit by day, from its real trades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from coordinator.reports.equity import day_ends
from coordinator.reports.texts import money

__all__ = ["BotAccount", "bot_account"]


@dataclass(frozen=True)
class BotAccount:
    """What the closed trades of a bot made.

    Attributes
    ----------
    daily : pandas.Series
        Realised profit so far, stake currency, by moment (UTC); open positions do not count.
    base : float
        What percents are of, stake currency: the balance that was named, else the most that was invested at once.
    named : bool
        Whether the balance was named.
    closed, won, open : int
        Trades with a filled entry.
    """

    daily: pd.Series
    base: float
    named: bool
    closed: int
    won: int
    open: int

    @property
    def profit(self) -> float:
        """Of all closed trades, stake currency."""
        return float(self.daily.iloc[-1])

    @property
    def ratio(self) -> float:
        """Profit over the base."""
        return self.profit / self.base

    @property
    def base_text(self) -> str:
        """What percents are of, in words."""
        return f"{'a balance of' if self.named else 'the most that was invested at once,'} {money(self.base)}"

    @property
    def value(self) -> pd.Series:
        """The base and the realised profit, as an account; empty without a base or a closed trade."""
        return self.base + self.daily if self.base > 0 and self.closed else self.daily.iloc[:0]


def bot_account(
    trades: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, balance: float | None = None
) -> BotAccount:
    """Read the account from a ledger's trades.

    Parameters
    ----------
    trades : pandas.DataFrame
        As ``Ledger.trades``.
    start, end : pandas.Timestamp
        UTC; the time that is shown.
    balance : float, optional
        What the account began with, stake currency: the ledger does not know it.
    """
    filled = trades[trades["filled_price"].notna()]
    closed = filled[filled["closed_at"].notna() & filled["profit"].notna()]
    moments = day_ends(start, max(end, start + pd.Timedelta(hours=1)))
    ordered = closed.sort_values("closed_at", kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(ordered["profit"].to_numpy(dtype=float))))
    at = ordered["closed_at"].dt.tz_localize(None).to_numpy(dtype="M8[us]")
    until = np.searchsorted(at, moments.tz_localize(None).to_numpy(dtype="M8[us]"), side="right")
    daily = pd.Series(sums[until], index=moments)
    base = balance if balance is not None else _most_invested(filled)
    won, still = int((closed["profit"] > 0).sum()), int(filled["closed_at"].isna().sum())
    return BotAccount(daily, base, balance is not None, len(closed), won, still)


def _most_invested(filled: pd.DataFrame) -> float:
    """The largest sum of the stakes that were open at one time; 0 without a trade."""
    stakes = filled["stake"].fillna(0.0).to_numpy(dtype=float)
    changes = pd.concat(
        [
            pd.Series(stakes, index=filled["opened_at"]),
            pd.Series(-stakes, index=filled["closed_at"]).loc[lambda s: s.index.notna()],
        ]
    )
    if changes.empty:
        return 0.0
    # What closes at a moment makes room for what opens at it.
    return float(changes.groupby(level=0).sum().sort_index().cumsum().max())
