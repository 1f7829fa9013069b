"""Everything the page is made of, read before anything is drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from coordinator.reports.comparison import HOLD, Comparison
from coordinator.reports.equity import buy_and_hold
from coordinator.reports.page.bot import BotAccount, bot_account
from coordinator.reports.page.run_view import RunView
from coordinator.reports.results import BacktestResult

__all__ = ["OPTIMIZE_FOLDER", "PageData", "ParameterImportance", "bot_page_data", "newest_importance"]

OPTIMIZE_FOLDER = "optimize"
"""Where `coordinator optimize` writes, in the user directory."""


@dataclass(frozen=True)
class ParameterImportance:
    """What an optimization found its figures to hang on: each setting's share, 0..1, and where that stands."""

    source: str
    shares: Mapping[str, float]


@dataclass(frozen=True)
class PageData:
    """What is shown.

    Attributes
    ----------
    comparison : Comparison or None
        None for a bot, whose ledger has no backtest result.
    results : sequence of BacktestResult
        As in the comparison.
    runs : sequence of RunView
        Those of which there is a ledger.
    candles : mapping of pair to pandas.DataFrame
        date (UTC, open), close, and open, high, low where they are known; may be empty for a bot.
    account : BotAccount or None
        A bot's.
    hold : pandas.Series
        Buy and hold beside a bot, as values of its base; empty without candles.
    importance : ParameterImportance or None
    importance_folder : str
        Where one was looked for.
    """

    comparison: Comparison | None
    results: Sequence[BacktestResult] = ()
    runs: Sequence[RunView] = ()
    candles: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    account: BotAccount | None = None
    hold: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))
    importance: ParameterImportance | None = None
    importance_folder: str = ""

    @cached_property
    def main(self) -> RunView | None:
        """The run that the sections on decisions show: the first in which ML took part, else the first."""
        return next((run for run in self.runs if run.has_ml), self.runs[0] if self.runs else None)

    @cached_property
    def accounts(self) -> dict[str, pd.Series]:
        """Daily account values by name, buy and hold last."""
        if self.comparison is not None:
            return {column.name: column.equity.daily for column in self.comparison.columns}
        out = {}
        if self.account is not None and len(self.account.value):
            out["the bot"] = self.account.value
            if len(self.hold):
                out[HOLD] = self.hold
        return out

    @property
    def unrecorded(self) -> list[str]:
        """Strategies of which there is no ledger."""
        recorded = {run.run.strategy for run in self.runs}
        return [result.strategy for result in self.results if result.strategy not in recorded]


def bot_page_data(
    run: RunView,
    candles: Mapping[str, pd.DataFrame],
    balance: float | None = None,
    importance: ParameterImportance | None = None,
    importance_folder: str = "",
) -> PageData:
    """The page of a bot, from its ledger.

    Parameters
    ----------
    candles : mapping of pair to pandas.DataFrame
        Of pairs whose candles are at hand; buy and hold is that of those among them that cover the bot's time.
    balance : float, optional
        What its account began with, stake currency.
    """
    moments = run.run.trades["opened_at"]
    start = min([run.since, *moments]) if len(moments) else run.since
    account = bot_account(run.run.trades, start, run.end, balance)
    return PageData(
        comparison=None,
        runs=(run,),
        candles=candles,
        account=account,
        hold=_hold(candles, start, run.end, pd.Timedelta(seconds=run.run.candle_seconds), account.base),
        importance=importance,
        importance_folder=importance_folder,
    )


def newest_importance(folder: Path) -> ParameterImportance | None:
    """Of the optimization written last in a folder; None where there is none that tells."""
    newest: tuple[float, ParameterImportance] | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            shares = {str(name): float(share) for name, share in content["importance"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a config that was written beside it, or something else
        written = path.stat().st_mtime
        if shares and (newest is None or written >= newest[0]):
            newest = written, ParameterImportance(path.name, shares)
    return None if newest is None else newest[1]


def _hold(
    candles: Mapping[str, pd.DataFrame],
    start: pd.Timestamp,
    end: pd.Timestamp,
    length: pd.Timedelta,
    base: float,
) -> pd.Series:
    """The base split evenly over the pairs that have candles in that time, without fees; empty for none."""
    first, last = start.floor(length), end - length
    inside = {pair: frame for pair, frame in candles.items() if frame["date"].between(first, last).any()}
    if not inside or base <= 0:
        return pd.Series(dtype=float)
    return buy_and_hold(inside, first, last, length, base, 0.0).equity.daily
