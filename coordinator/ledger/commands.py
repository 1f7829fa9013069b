"""``coordinator ledger``: look into the decision ledger and export it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from coordinator.errors import CoordinatorError
from coordinator.ledger.export import export_decisions
from coordinator.ledger.location import default_ledger
from coordinator.ledger.registry import ModelRegistry
from coordinator.ledger.samples.pruning import prune
from coordinator.ledger.samples.sizes import sample_sizes, size_sentence
from coordinator.ledger.store import Ledger
from coordinator.ledger.upgrade import HEAD
from coordinator.ledger.views.improvements import improvement_tables
from coordinator.ledger.views.learned import TextTable, learned_tables

__all__ = ["RESULTS", "FolderOption", "LedgerOption", "RunOption", "ledger_app", "open_ledger"]

ledger_app = typer.Typer(help="The decision ledger of backtests and bots.", no_args_is_help=True)

LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        help="Ledger file or URL [default: the bot's or a backtest's, the one written last]",
    ),
]
FolderOption = Annotated[
    Path, typer.Option("--results", help="Folder of backtest results; the bot's ledger lies beside it")
]
RunOption = Annotated[int | None, typer.Option("--run", help="Run id [default: the last run]")]
RESULTS = Path("user_data/backtest_results")


def open_ledger(ledger: str | None, results: Path) -> Ledger:
    """The ledger that was named, or the default one, of which a line on stderr tells."""
    opened = Ledger(ledger or default_ledger(results))
    if ledger is None:
        typer.echo(f"Ledger: {opened.database.name}", err=True)
    return opened


@ledger_app.command("export")
def export_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write")],
    ledger: LedgerOption = None,
    run: Annotated[int | None, typer.Option("--run", help="Run id [default: the last run]")] = None,
    results: FolderOption = RESULTS,
) -> None:
    """Write a run's decisions, one row per signal, as zstd Parquet."""
    count = export_decisions(open_ledger(ledger, results), run, output)
    Console().print(f"{count} decisions written to {output}", highlight=False, soft_wrap=True)


@ledger_app.command("runs")
def runs_command(ledger: LedgerOption = None, results: FolderOption = RESULTS) -> None:
    """List the runs of a ledger."""
    table = Table("id", "strategy", "started (UTC)", "timeframe", "model", "identifier", "kind")
    runs = open_ledger(ledger, results).runs().drop(columns=["settings", "bot", "closed_at"]).fillna("–")
    runs["started_at"] = runs["started_at"].dt.strftime("%Y-%m-%d %H:%M:%S")
    for row in runs.astype(str).to_numpy().tolist():
        table.add_row(*row)
    Console().print(table)


@ledger_app.command("learned")
def learned_command(
    ledger: LedgerOption = None,
    run: RunOption = None,
    results: FolderOption = RESULTS,
) -> None:
    """Show what a run has learned: ML weight and reviews, vote weights, thresholds, the selector's Q-table."""
    _print_tables(learned_tables, ledger, run, results)


@ledger_app.command("improvements")
def improvements_command(
    ledger: LedgerOption = None,
    run: RunOption = None,
    results: FolderOption = RESULTS,
) -> None:
    """Show what the improvements did in a run, to which signals, and how far each is trusted."""
    _print_tables(improvement_tables, ledger, run, results)


def _print_tables(
    tables: Callable[[Ledger, int], list[TextTable]], ledger: str | None, run: int | None, results: Path
) -> None:
    """Tables of a ledger's run, the last one unless named."""
    opened = open_ledger(ledger, results)
    known = [int(value) for value in opened.runs()["id"]]
    if not known or (run is not None and run not in known):
        raise CoordinatorError("run", opened.database.name, f"be one of {known}", run)
    for title, head, rows in tables(opened, known[-1] if run is None else run):
        table = Table(*head, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        Console().print(table)


@ledger_app.command("models")
def models_command(ledger: LedgerOption = None, results: FolderOption = RESULTS) -> None:
    """List the models of a ledger: what they had seen, their status and why they have it."""
    table = Table(
        "id", "name", "kind", "trained until (UTC)", "speaks from (UTC)", "status", "verdict", "file"
    )
    for model in ModelRegistry(open_ledger(ledger, results)).models():
        info = model.info
        times = (
            f"{datetime.fromtimestamp(t, tz=UTC):%Y-%m-%d %H:%M}"
            for t in (info.trained_until, info.valid_from)
        )
        table.add_row(str(model.id), info.name, info.kind, *times, model.status, model.verdict, info.file)
    Console().print(table)


@ledger_app.command("upgrade")
def upgrade_command(ledger: LedgerOption = None, results: FolderOption = RESULTS) -> None:
    """Bring a ledger to the newest schema; using it would do so too."""
    opened = open_ledger(ledger, results)
    opened.upgrade()
    line = f"{opened.database.name} has schema version {HEAD}"
    Console().print(line, highlight=False, soft_wrap=True)


@ledger_app.command("check")
def check_command(ledger: LedgerOption = None, results: FolderOption = RESULTS) -> None:
    """Check a ledger's file and contents; exit code 2 and the first problem if there is one."""
    opened = open_ledger(ledger, results)
    problems = opened.check()
    for line in problems:
        Console().print(line, highlight=False, soft_wrap=True)
    if problems:
        raise CoordinatorError("ledger", opened.database.name, "pass its integrity check", problems[0])
    Console().print(f"{opened.database.name} is sound", highlight=False, soft_wrap=True)


@ledger_app.command("size")
def size_command(ledger: LedgerOption = None, results: FolderOption = RESULTS) -> None:
    """How much room collected samples take, by year and pair."""
    opened = open_ledger(ledger, results)
    table = Table("year", "pair", "signals", "panel samples", "kB")
    sizes = sample_sizes(opened)
    for size in sizes:
        numbers = (size.signals, size.panel, round(size.bytes / 1e3))
        table.add_row(str(size.year), size.pair, *(f"{value:,}" for value in numbers))
    Console().print(table)
    line = f"{opened.database.name}: {size_sentence(sizes)}"
    Console().print(line, highlight=False, soft_wrap=True)


@ledger_app.command("prune")
def prune_command(
    ledger: LedgerOption = None,
    before: Annotated[
        str | None,
        typer.Option(
            "--before", help="YYYYMMDD: features, panel samples and predictions of earlier candles go"
        ),
    ] = None,
    keep_runs: Annotated[
        int | None, typer.Option("--keep-runs", min=0, help="only so many newest backtests stay")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only count")] = False,
    results: FolderOption = RESULTS,
) -> None:
    """Make a ledger smaller; a bot's decisions and outcomes, and the models, always stay."""
    if before is None and keep_runs is None:
        raise CoordinatorError("--before or --keep-runs", "ledger prune", "say what goes", "neither")
    time = None if before is None else _midnight(before)
    opened = open_ledger(ledger, results)
    gone = prune(opened, time, keep_runs, dry_run=dry_run)
    counts = ", ".join(f"{count:,} of {name}" for name, count in gone.items())
    line = f"{opened.database.name}: {counts} {'would go' if dry_run else 'are gone'}"
    Console().print(line, highlight=False, soft_wrap=True)


def _midnight(day: str) -> int:
    try:
        return int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        raise CoordinatorError("--before", "ledger prune", "be YYYYMMDD", day) from None
