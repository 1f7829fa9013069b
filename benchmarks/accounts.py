"""Accounts of real `freqtrade backtesting` processes with the shipped config and changes over it."""

from __future__ import annotations

import io
import json
import tempfile
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.misc import deep_merge_dicts
from rich.console import Console

from coordinator.adapters.configuration import read_config
from coordinator.jobs.backtest import run_backtests
from coordinator.jobs.run_plan import plan_run
from coordinator.ledger.store import Ledger
from coordinator.reports.comparison import Column, compare
from coordinator.reports.results import BacktestResult, read_result


@dataclass(frozen=True)
class Account:
    """What one backtest came to."""

    result: BacktestResult
    column: Column
    hold: Column
    ledger: Path

    def decisions(self) -> pd.DataFrame:
        """Every signal with its decision and outcome, as the ledger has it."""
        return Ledger(self.ledger).read_decisions()

    def line(self) -> str:
        """Its figures in a line."""
        m = self.column.metrics
        return (
            f"profit {m.profit:+8.2%}  Sharpe {m.sharpe:+.2f}  drawdown {m.max_drawdown:6.2%}  "
            f"factor {m.profit_factor:5.2f}  trades {m.trades:5}"
        )


def merged(*sections: dict[str, Any]) -> dict[str, Any]:
    """Settings over settings, key by key."""
    out: dict[str, Any] = {}
    for section in sections:
        deep_merge_dicts(deepcopy(section), out)
    return out


def account(
    datadir: str,
    timerange: str,
    strategy: str,
    settings: dict[str, Any] | None = None,
    *,
    trading_mode: str = "spot",
    pairs: list[str] | None = None,
    config: dict[str, Any] | None = None,
    user_data: Path = Path("user_data"),
) -> Account:
    """One backtest.

    Parameters
    ----------
    settings : over the config's "coordinator" section
    config : over the rest of it
    user_data : where results go; two studies at once need two
    """
    whole = merged(read_config(Path("config.json")), config or {}, {"coordinator": settings or {}})
    for key in ("strategy_path", "freqaimodel_path", "hyperopt_path"):
        whole[key] = str(Path(whole[key]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
        plan = plan_run(path, Path(datadir), pairs, timerange, trading_mode)
        report = run_backtests(plan, [strategy], user_data, Console(file=io.StringIO()))
    result = read_result(user_data / "backtest_results" / f"{report.stem}.zip")
    column, hold = compare([result], plan.candles(), plan.settings.costs.fee).columns
    return Account(result, column, hold, result.path.with_suffix(".ledger.sqlite"))
