"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

__all__ = [
    "ConfigOption",
    "Configs",
    "DatadirOption",
    "ModeOption",
    "PairsOption",
    "SchedulerOption",
    "WorkersOption",
    "chosen_configs",
    "split_names",
    "tell",
]

Configs: TypeAlias = list[Path] | None
ConfigOption = Annotated[
    Configs,
    typer.Option("--config", "-c", help="Freqtrade config, repeat it for overlays [default: config.json]"),
]
DatadirOption = Annotated[
    Path | None, typer.Option("--datadir", "-d", help="your candles; without it the simulated market")
]
PairsOption = Annotated[
    str | None, typer.Option("--pairs", help='e.g. "BTC/USDT ETH/USDT"; default: the whitelist')
]
ModeOption = Annotated[
    str | None, typer.Option("--trading-mode", help="spot or futures; default: the config's")
]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="processes here; default: one for each CPU")]
SchedulerOption = Annotated[str | None, typer.Option(help="tcp://host:port of a dask cluster instead")]


def split_names(text: str | None) -> list[str] | None:
    """Names of a list with blanks or commas; None where there is none.

    Examples
    --------
    >>> split_names("BTC/USDT, ETH/USDT"), split_names("")
    (['BTC/USDT', 'ETH/USDT'], None)
    """
    return (text or "").replace(",", " ").split() or None


def chosen_configs(paths: Configs) -> list[Path]:
    """The configs that were named, else the working directory's."""
    return paths or [Path("config.json")]


def tell(console: Console, lines: Iterable[str]) -> None:
    """Print lines as they are: without wrapping, markup or colours."""
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
