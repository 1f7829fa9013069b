"""``coordinator report``: backtests beside buy and hold, or a bot, on the terminal and as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console

from coordinator.candles.files import TradingMode, list_timeframes, read_candles
from coordinator.errors import CoordinatorError
from coordinator.ledger.export import find_run
from coordinator.ledger.location import default_ledger
from coordinator.ledger.store import Ledger
from coordinator.reports.comparison import compare
from coordinator.reports.page.data import OPTIMIZE_FOLDER, PageData, bot_page_data, newest_importance
from coordinator.reports.page.run_view import RunView, last_live_run, read_run
from coordinator.reports.page.summary import summary_of
from coordinator.reports.page.write import write_report
from coordinator.reports.results import BacktestResult, latest_results, read_result
from coordinator.reports.table import print_table

__all__ = ["report_app", "report_command"]

report_app = typer.Typer(help="Strategies beside buy and hold, or a bot.", add_completion=False)

STRATEGIES = ("MLCoordinator", "TechnicalBaseline")


@report_app.command("report")
def report_command(
    datadir: Annotated[
        Path | None,
        typer.Option("--datadir", "-d", help="Candles the backtests ran on; for a bot they add buy and hold"),
    ] = None,
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
            "--ledger",
            help="Ledger file or URL, repeat it; a bot's gives the bot's page [default: what was written last, a "
            "bot's ledger or the backtests']",
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
    run: Annotated[int | None, typer.Option("--run", help="Run id of a bot [default: its last]")] = None,
    balance: Annotated[
        float | None,
        typer.Option(
            "--balance", min=0.01, help="What a bot began with [default: the most it had invested at once]"
        ),
    ] = None,
) -> None:
    """Print the comparison or a bot's summary, and write the HTML page."""
    console = Console()
    bot = None if result else _bot(ledger, results, run)
    if bot is not None:
        page = _bot_page(*bot, datadir, balance, results.parent / OPTIMIZE_FOLDER)
        _print_summary(page, console)
    else:
        if datadir is None:
            raise CoordinatorError(
                "--datadir", "the report of backtests", "name the candles they ran on", None
            )
        read = [read_result(path) for path in result] if result else latest_results(results, STRATEGIES)
        candles = _candles(read, datadir)
        print_table(read, candles, fee, console)
        runs, folder = _runs(read, ledger or []), results.parent / OPTIMIZE_FOLDER
        found = newest_importance(folder)
        page = PageData(
            compare(read, candles, fee), read, runs, candles, importance=found, importance_folder=str(folder)
        )
    write_report(page, output)
    size = output.stat().st_size / 1e6
    console.print(
        f"Report written to {output} ({size:.1f} MB)", markup=False, highlight=False, soft_wrap=True
    )


def _print_summary(page: PageData, console: Console) -> None:
    for heading, sentences in summary_of(page):
        console.print(heading, markup=False, highlight=False)
        for sentence in sentences:
            console.print(f"- {sentence.text}", markup=False, highlight=False, soft_wrap=True)


def _bot(names: list[str] | None, results: Path, run: int | None) -> tuple[Ledger, int] | None:
    """The bot's run that is meant: of a ledger named, else of the one written last; None where that is no bot's."""
    if names is None:
        names = [default_ledger(results)]
    for name in names:
        opened = Ledger(name)
        live = last_live_run(opened)
        if run is not None and run not in set(opened.runs()["id"]):
            raise CoordinatorError(
                "--run", opened.database.name, f"be one of {list(opened.runs()['id'])}", run
            )
        if live is not None:
            return opened, live if run is None else run
    return None


def _bot_page(
    ledger: Ledger, run_id: int, datadir: Path | None, balance: float | None, folder: Path
) -> PageData:
    view = read_run(ledger, run_id)
    candles: dict[str, pd.DataFrame] = {}
    if datadir is not None:
        timeframe = str(ledger.runs().set_index("id").loc[run_id, "timeframe"])
        for pair in sorted(set(view.run.decisions["pair"]) | set(view.run.trades["pair"])):
            mode: TradingMode = "futures" if ":" in pair else "spot"
            if timeframe in list_timeframes(datadir, pair, mode):
                candles[pair] = read_candles(datadir, pair, timeframe, mode)
        view = read_run(ledger, run_id, candles)
    return bot_page_data(view, candles, balance, newest_importance(folder), str(folder))


def _candles(results: list[BacktestResult], datadir: Path) -> dict[str, pd.DataFrame]:
    """Candles of every pair of the backtests."""
    pairs = sorted({pair for result in results for pair in result.pairs})
    mode: TradingMode = "futures" if results[0].trading_mode == "futures" else "spot"
    timeframe = str(results[0].stats["timeframe"])
    return {pair: read_candles(datadir, pair, timeframe, mode) for pair in pairs}


def _runs(results: list[BacktestResult], names: list[str]) -> list[RunView]:
    """Each strategy's run: from the ledgers named, else from the one its backtest wrote beside it."""
    found: dict[str, tuple[Ledger, int]] = {}
    strategies = {result.strategy for result in results}
    for name in names:
        opened = Ledger(name)
        runs = opened.runs()
        runs = runs[runs["strategy"].isin(strategies)]
        if runs.empty:
            raise CoordinatorError("ledger", name, f"hold a run of {', '.join(sorted(strategies))}", "none")
        for strategy, own_runs in runs.groupby("strategy"):
            found[str(strategy)] = opened, int(own_runs["id"].iloc[-1])
    for result in results:
        if result.strategy not in found:
            second = pd.Timedelta(seconds=1)  # Freqtrade keeps whole seconds
            own = find_run(result.path.parent, result.strategy, result.run_begin, result.run_end + second)
            if own is not None:
                found[result.strategy] = own
    return [
        read_run(*found[result.strategy], since=result.start)
        for result in results
        if result.strategy in found
    ]
