"""The main job: MLCoordinator beside TechnicalBaseline beside buy-and-hold, on the same candles with costs."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from coordinator.errors import CoordinatorError
from coordinator.file_lock import file_lock
from coordinator.jobs.freqtrade_process import FreqtradeError, ProgressCallback, run_freqtrade
from coordinator.jobs.options import tell
from coordinator.jobs.parameter_files import parameter_files
from coordinator.jobs.run_plan import RunPlan
from coordinator.jobs.traded import traded_rows
from coordinator.ledger.samples.sizes import sample_sizes, size_sentence
from coordinator.ledger.store import Ledger
from coordinator.reports.comparison import compare
from coordinator.reports.page.data import OPTIMIZE_FOLDER, PageData, newest_importance
from coordinator.reports.page.run_view import RunView, read_run
from coordinator.reports.page.write import write_report
from coordinator.reports.results import BacktestResult, read_result
from coordinator.reports.table import print_table
from coordinator.run.position_sizing import TOO_SMALL
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import environment_below, overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.settings.trade import DcaSettings
from coordinator.shipped import IGNORE_PARAMETER_FILES

__all__ = ["STRATEGIES", "backtest_in_sandbox", "run_backtests"]

STRATEGIES = ("MLCoordinator", "TechnicalBaseline")


def run_backtests(plan: RunPlan, strategies: Sequence[str], user_data: Path, console: Console) -> Path:
    """Backtest each strategy in a Freqtrade process of its own, print the table, write the report.

    Results and ledgers go to ``<user_data>/backtest_results``, where FreqUI finds them, the log of each process to
    ``<user_data>/logs``, the report to ``<user_data>/reports``.

    Returns
    -------
    Path
        The HTML report.

    Raises
    ------
    FreqtradeError
        If a process fails; nothing is reported then.
    """
    results: list[BacktestResult] = []
    decisions: dict[str, pd.DataFrame] = {}
    sizes: dict[str, str] = {}
    warnings: list[str] = []
    runs: list[RunView] = []
    candles = plan.candles()
    files = parameter_files(plan.config, strategies)
    if files:
        names = ", ".join(map(str, files))
        warnings.append(f"Hyperopt's parameters are not used here, where strategies are compared: {names}")
    with _sandboxed(plan, {IGNORE_PARAMETER_FILES: True}) as overlay, _bars(console) as bars:
        for strategy in strategies:
            task = bars.add_task(strategy, total=1.0, doing="starting")
            zip_path, ledger, warned = _backtest(
                plan,
                strategy,
                overlay,
                user_data,
                partial(_advance, bars, task),
            )
            warnings += [f"{strategy}: {line}" if line.startswith(TOO_SMALL) else line for line in warned]
            results.append(read_result(zip_path))
            sizes[strategy] = size_sentence(sample_sizes(Ledger(ledger)))
            decisions[strategy] = _with_trades(Ledger(ledger), results[-1], plan.settings.dca, candles)
            runs.append(read_run(Ledger(ledger), None, candles, pd.Timestamp(plan.start), store=True))
    console.print(f"Pairs: {', '.join(plan.pairs)}", soft_wrap=True, highlight=False)
    print_table(results, candles, plan.settings.costs.fee, console)
    tell(console, warnings)
    for strategy, frame in decisions.items():
        console.print(
            _say_of_ml(strategy, frame[frame["time"] >= plan.start]), soft_wrap=True, highlight=False
        )
        console.print(f"{strategy}: collected {sizes[strategy]}", soft_wrap=True, highlight=False)
    report = user_data / "reports" / f"{results[0].path.stem}.html"
    report.parent.mkdir(parents=True, exist_ok=True)
    comparison = compare(results, candles, plan.settings.costs.fee)
    folder = user_data / OPTIMIZE_FOLDER
    page = PageData(
        comparison,
        results,
        runs,
        candles,
        importance=newest_importance(folder),
        importance_folder=str(folder),
    )
    return write_report(page, report)


def _with_trades(
    ledger: Ledger, result: BacktestResult, dca: DcaSettings, candles: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """The run's decisions; its trades are written beside them."""
    decisions, run = ledger.read_decisions(), int(ledger.runs()["id"].iloc[-1])
    ledger.write_batch_trades(run, traded_rows(result, decisions, dca, candles))
    return decisions


def _say_of_ml(strategy: str, decisions: pd.DataFrame) -> str:
    """How much ML said in a run, in words."""
    weight, taken = decisions["ml_weight"], decisions[decisions["accepted"]]
    words = f"{strategy}: {len(decisions)} signals, {len(taken)} accepted; "
    judged = decisions["quality_percentile"].notna()
    if judged.any():
        words += f"signal quality judged {judged.mean():.0%} of them; "
    if not (weight > 0).any():
        return words + "ML's vote had no say in any"
    return words + (
        f"ML's vote had a say in {(weight > 0).mean():.0%} of them, weight "
        f"{weight[weight > 0].mean():.0%} on average, {weight.iloc[-1]:.0%} at the end"
    )


def backtest_in_sandbox(
    plan: RunPlan, strategy: str, user_data: Path, progress: ProgressCallback
) -> tuple[Path, Path, list[str]]:
    """One strategy's backtest offline: its result, its ledger, and its warnings that a user must see.

    Raises
    ------
    FreqtradeError
        If the process fails.
    """
    with _sandboxed(plan) as overlay:
        return _backtest(plan, strategy, overlay, user_data, progress)


@contextmanager
def _sandboxed(plan: RunPlan, changes: Mapping[str, Any] | None = None) -> Iterator[Path]:
    """An overlay config of the sandbox exchange, which serves the plan's candles as long as this lasts."""
    with (
        SandboxServer(create_app(plan.datadir, wall_clock), "127.0.0.1", 0) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        overlay = Path(folder) / "overlay.json"
        sandbox = overlay_config(server.url)
        merged = {**sandbox, **plan.overlay, "exchange": {**sandbox["exchange"], **plan.overlay["exchange"]}}
        overlay.write_text(json.dumps({**merged, **(changes or {})}), encoding="utf-8")
        yield overlay


def _advance(bars: Progress, task: TaskID, share: float, doing: str) -> None:
    bars.update(task, completed=share, doing=doing)


def _bars(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        TextColumn("{task.fields[doing]}"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)


def _backtest(
    plan: RunPlan, strategy: str, overlay: Path, user_data: Path, progress: ProgressCallback
) -> tuple[Path, Path, list[str]]:
    """Run one strategy, once no other command does; its result and its ledger, named alike, and its warnings."""
    # Freqtrade names its files by the second, and what is new is this run's.
    path = user_data / "coordinator-backtest.lock"
    taken = CoordinatorError("lock", "coordinator backtest", "be free", str(path))
    with file_lock(path, taken, patience=-1):
        return _backtest_alone(plan, strategy, overlay, user_data, progress)


def _backtest_alone(
    plan: RunPlan, strategy: str, overlay: Path, user_data: Path, progress: ProgressCallback
) -> tuple[Path, Path, list[str]]:
    folder, log = user_data / "backtest_results", user_data / "logs" / f"backtest-{strategy}.log"
    before = set(folder.glob("*"))
    warnings = run_freqtrade(
        [
            "backtesting",
            *(word for path in (*plan.config_paths, overlay) for word in ("--config", str(path))),
            *("--userdir", str(user_data), "--datadir", str(plan.datadir)),
            *("--strategy", strategy, "--timerange", plan.timerange),
            *("--export", "trades", "--cache", "none"),
        ],
        log,
        progress,
        tolerant=plan.settings.learning.on_failure == "baseline",
        environment=environment_below(json.loads(overlay.read_text(encoding="utf-8")), os.environ),
    )
    new = sorted(set(folder.glob("*")) - before)
    result = next((path for path in new if path.suffix == ".zip"), None)
    ledger = next((path for path in new if path.name.endswith(".ledger.sqlite")), None)
    if result is None or ledger is None:
        raise FreqtradeError(1, f"freqtrade wrote no {'ledger' if result else 'result'} to {folder}", log)
    return result, ledger.rename(result.with_suffix(".ledger.sqlite")), warnings
