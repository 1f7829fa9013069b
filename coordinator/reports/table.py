"""The comparison as one table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from rich.console import Console
from rich.table import Table

from coordinator.reports.comparison import compare
from coordinator.reports.results import BacktestResult

__all__ = ["print_table"]


def print_table(
    results: Sequence[BacktestResult],
    candles: Mapping[str, pd.DataFrame],
    fee: float | None,
    console: Console,
) -> None:
    """Print strategies beside buy and hold. The text depends on the results alone: no times of running.

    Parameters
    ----------
    results, candles, fee
        As :func:`~coordinator.reports.comparison.compare` takes them; it raises for all of them.
    """
    comparison = compare(results, candles, fee)
    table = Table()
    table.add_column("")
    for column in comparison.columns:
        table.add_column(column.name, justify="right", no_wrap=True)
    for name, cells in comparison.rows():
        table.add_row(name, *cells)
    console.print(comparison.title, markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    for note in comparison.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
