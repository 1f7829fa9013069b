"""``coordinator metrics``: the rolling metrics of a run on the terminal, as JSON, and over time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from coordinator.errors import CoordinatorError
from coordinator.ledger.commands import RESULTS, FolderOption, LedgerOption, RunOption, open_ledger
from coordinator.reports.rolling.portfolio import CORRELATION
from coordinator.reports.rolling.run_data import RunData, load_run
from coordinator.reports.rolling.summary import (
    HEAD,
    WINDOW_DAYS,
    RollingReport,
    metric_rows,
    read_rolling,
    rolling_series,
    stored_correlation,
)
from coordinator.reports.rolling.table import as_json
from coordinator.reports.rolling.targets import Key
from coordinator.reports.texts import number
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = ["metrics_command"]


def metrics_command(
    ledger: LedgerOption = None,
    run: RunOption = None,
    results: FolderOption = RESULTS,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Days of the window")] = WINDOW_DAYS,
    as_json_text: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables")] = False,
    history: Annotated[
        str | None, typer.Option("--history", help="Print one metric at the end of every day instead")
    ] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Write all metrics of all days into the ledger (metric_history)")
    ] = False,
) -> None:
    """The metrics of the last 30 days: ML, baseline, account, target and verdict; models; improvements."""
    if store and days != WINDOW_DAYS:
        raise CoordinatorError("--days", "--store", f"be {WINDOW_DAYS}, as metric_history holds", days)
    opened = open_ledger(ledger, results)
    console = Console()
    if history is not None or store:
        own = load_run(opened, run)
        series = rolling_series(own, days)
        if days == WINDOW_DAYS:
            series |= stored_correlation(own, opened.metrics(own.run_id, CORRELATION))
        if store:
            count = opened.write_metrics(own.run_id, metric_rows(own, series))
            console.print(
                f"{count} values written to {opened.database.name}", soft_wrap=True, highlight=False
            )
        if history is not None:
            _print_history(console, own, series, history, as_json_text)
        return
    report = read_rolling(opened, run, days)
    if as_json_text:
        typer.echo(json.dumps(report.as_dict(), indent=2, allow_nan=False))
    else:
        _print_report(console, report)


def _print_report(console: Console, report: RollingReport) -> None:
    console.print(report.title, markup=False, highlight=False, soft_wrap=True)
    table = Table(*HEAD)
    for value in report.metrics:
        table.add_row(value.metric.label, *value.texts())
    console.print(table)
    for part in report.tables:
        console.print(f"\n{part.title}", markup=False, highlight=False, soft_wrap=True)
        table = Table(*part.head)
        for name, cells in part.texts():
            table.add_row(name, *cells)
        console.print(table)


def _print_history(
    console: Console, run: RunData, series: Mapping[Key, Floats], metric: str, as_json_text: bool
) -> None:
    """One metric at the end of every day, a column for each arm and subject that has a value."""
    found = {key: values for key, values in series.items() if key[1] == metric and (values == values).any()}
    if not found:
        known = sorted({name for (_, name, _), values in series.items() if (values == values).any()})
        raise CoordinatorError("--history", "coordinator metrics", f"be one of {', '.join(known)}", metric)
    ends = [datetime.fromtimestamp(end, tz=UTC) for end in ((run.days + 1) * SECONDS_PER_DAY).tolist()]
    names = [" ".join(filter(None, (arm, subject))) for arm, _, subject in found]
    rows = zip(ends, *(values.tolist() for values in found.values()), strict=True)
    if as_json_text:
        points = [
            {"end": end.isoformat(), **dict(zip(names, map(as_json, values), strict=True))}
            for end, *values in rows
        ]
        typer.echo(json.dumps({"metric": metric, "days": points}, indent=2, allow_nan=False))
        return
    table = Table("Days to", *names, title=metric, title_justify="left")
    for end, *values in rows:
        table.add_row(f"{end:%Y-%m-%d}", *(number(value, 4) for value in values))
    console.print(table)
