"""How the commands about learning answer: a line or a table for people, JSON for scripts, an exit code for cron."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

__all__ = [
    "NOTHING_TO_DO",
    "JsonOption",
    "LedgerOption",
    "UserDataOption",
    "answer",
    "number",
]

NOTHING_TO_DO = 1
"""Exit code where there was nothing to do; 0 is done, 2 an error."""

UserDataOption = Annotated[Path, typer.Option("--user-data", help="where models and the ledger are")]
LedgerOption = Annotated[
    str | None,
    typer.Option("--ledger", help="ledger file or database URL [default: the bot's, as the config says]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON instead")]


def answer(
    as_json: bool,
    values: Any,
    lines: Sequence[str] = (),
    head: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
) -> None:
    """Print the values as JSON, or the table (if it has rows), then the lines."""
    if as_json:
        typer.echo(json.dumps(values, indent=1))
        return
    console = Console()
    if rows:
        table = Table(*head)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """A figure, a dash where it is unknown."""
    if value is None or value != value or abs(value) == float("inf"):
        return "–"
    return f"{value:{'+' if sign else ''}.{digits}f}"
