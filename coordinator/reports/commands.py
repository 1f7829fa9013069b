"""``coordinator report``: the comparison on the terminal and as an HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console

from coordinator.candles.files import TradingMode, read_candles
from coordinator.errors import CoordinatorError
from coordinator.ledger.export import find_run
from coordinator.ledger.registry import ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.reports.html import write_report
from coordinator.reports.results import BacktestResult, latest_results, read_result
from coordinator.reports.rolling.summary import view_rolling
from coordinator.reports.table import print_table

__all__ = ["report_app", "report_command"]

report_app = typer.Typer(help="Strategies beside buy and hold.", add_completion=False)

STRATEGIES = ("MLCoordinator", "TechnicalBaseline")


@report_app.command("report")
def report_command(
    datadir: Annotated[Path, typer.Option("--datadir", "-d", help="Candles the backtests ran on")],
    result: Annotated[
        list[Path] | None,
        typer.Option(
            "--result", "-r", help="Backtest zip, repeat it [default: the newest of the two strategies]"
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write")] = Path("report.html"),
    ledger: Annotated[
        list[str] | None,
        typer.Option(
            "--ledger", help="Ledger file or URL, repeat it [default: those written by the backtests]"
        ),
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="Folder in which results are looked for")] = Path(
        "user_data/backtest_results"
    ),
    fee: Annotated[
        float | None,
        typer.Option(
            "--fee", min=0, max=0.1, help="Fee of buy and hold, ratio [default: what the trades paid]"
        ),
    ] = None,
) -> None:
    """Print the comparison and write the HTML report."""
    read = [read_result(path) for path in result] if result else latest_results(results, STRATEGIES)
    candles = _candles(read, datadir)
    console = Console()
    print_table(read, candles, fee, console)
    ledgers = [Ledger(name) for name in ledger or _beside(read)]
    models = [model for opened in ledgers for model in ModelRegistry(opened).models()]
    views = [view for opened in ledgers if (view := view_rolling(opened)) is not None]
    write_report(read, _decisions(read, ledger or []), candles, output, fee, models, views)
    console.print(f"Report written to {output}", markup=False, highlight=False, soft_wrap=True)


def _candles(results: list[BacktestResult], datadir: Path) -> dict[str, pd.DataFrame]:
    """Candles of every pair of the backtests."""
    pairs = sorted({pair for result in results for pair in result.pairs})
    mode: TradingMode = "futures" if results[0].trading_mode == "futures" else "spot"
    timeframe = str(results[0].stats["timeframe"])
    return {pair: read_candles(datadir, pair, timeframe, mode) for pair in pairs}


def _beside(results: list[BacktestResult]) -> list[str]:
    """The ledgers that `coordinator backtest` put beside the results."""
    paths = [result.path.with_suffix(".ledger.sqlite") for result in results]
    return [str(path) for path in dict.fromkeys(paths) if path.is_file()]


def _decisions(results: list[BacktestResult], ledgers: list[str]) -> dict[str, pd.DataFrame]:
    """Each strategy's decisions: from the ledgers named, else from the one its backtest wrote beside it."""
    decisions_of: dict[str, pd.DataFrame] = {}
    strategies = {result.strategy for result in results}
    for name in ledgers:
        ledger = Ledger(name)
        runs = ledger.runs()
        runs = runs[runs["strategy"].isin(strategies)]
        if runs.empty:
            raise CoordinatorError("ledger", name, f"hold a run of {', '.join(sorted(strategies))}", "none")
        for strategy, own_runs in runs.groupby("strategy"):
            decisions_of[str(strategy)] = ledger.read_decisions(int(own_runs["id"].iloc[-1]))
    for result in results:
        if result.strategy not in decisions_of:
            second = pd.Timedelta(seconds=1)  # Freqtrade keeps whole seconds
            decisions = find_run(
                result.path.parent, result.strategy, result.run_begin, result.run_end + second
            )
            if decisions is not None:
                decisions_of[result.strategy] = decisions
    return decisions_of
