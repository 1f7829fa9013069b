"""The `coordinator sandbox` and `coordinator data` commands."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coordinator.errors import CoordinatorError

if TYPE_CHECKING:
    # Heavy imports stay inside the commands, so that --help is quick.
    from coordinator.candles.files import TradingMode

__all__ = ["HOST_HELP", "FaultOption", "data_app", "sandbox_app"]

sandbox_app = typer.Typer(help="An offline Binance over candle files.", no_args_is_help=True)
data_app = typer.Typer(help="Candles: simulate and check.", no_args_is_help=True)

_DATADIR = Path("user_data/data/binance")
FaultOption = Annotated[
    list[str] | None, typer.Option(help="What goes wrong, e.g. server_error=0.05; repeat it.")
]
HOST_HELP = "Address to listen on; anything but the default lets other machines in."


class Mode(StrEnum):
    """Trading modes a command works on."""

    SPOT = "spot"
    FUTURES = "futures"
    BOTH = "both"


@sandbox_app.command("serve")
def serve(
    datadir: Annotated[Path, typer.Option(help="Candles to serve.")] = _DATADIR,
    host: Annotated[str, typer.Option(help=HOST_HELP)] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free port.")] = 8080,
    fault: FaultOption = None,
) -> None:
    """Serve the sandbox exchange until Ctrl-C."""
    from coordinator.sandbox.faults import parse_faults
    from coordinator.sandbox.runner import serve_until_stopped

    faults = parse_faults(fault or [], "coordinator sandbox serve")
    serve_until_stopped(
        datadir, host, port, faults=faults, ready=lambda url: typer.echo(f"Serving {datadir} at {url}")
    )


@data_app.command("simulate")
def simulate(
    datadir: Annotated[Path, typer.Option(help="Where the files go.")] = _DATADIR,
    pairs: Annotated[list[str] | None, typer.Option(help="Spot names; default: eight large ones.")] = None,
    start: Annotated[str, typer.Option(help="First day, UTC, YYYY-MM-DD.")] = "2022-01-01",
    end: Annotated[str, typer.Option(help="Day after the last, UTC, YYYY-MM-DD.")] = "2024-01-01",
    seed: Annotated[int, typer.Option(help="Equal seeds give equal candles.")] = 0,
    trading_mode: Annotated[Mode, typer.Option(help="Which files to write.")] = Mode.SPOT,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing candle files.")] = False,
) -> None:
    """Simulate a market and write its candles in Freqtrade's format."""
    from rich.console import Console
    from rich.progress import Progress

    from coordinator.sandbox.market_files import existing_files, write_market
    from coordinator.sandbox.profiles import DEFAULT_PAIRS
    from coordinator.sandbox.spec import MarketSpec

    chosen = _split(pairs) or DEFAULT_PAIRS
    spec = MarketSpec(pairs=chosen, start=_day("start", start), end=_day("end", end), seed=seed)
    modes = _modes(trading_mode)
    kept = [path for mode in modes for path in existing_files(spec, datadir, mode)]
    if kept and not overwrite:
        rule = (
            f"hold no candles of these pairs, or --overwrite be given ({len(kept)} files would be replaced)"
        )
        raise CoordinatorError("datadir", "coordinator data simulate", rule, str(kept[0]))
    console = Console()
    with Progress(console=console) as progress:
        task = progress.add_task("Simulating", total=len(spec.pairs) * len(modes))

        def advance(pair: str) -> None:
            progress.update(task, advance=1, description=pair)

        files = [path for mode in modes for path in write_market(spec, datadir, mode, advance)]
    console.print(f"{len(files)} files in {datadir}", highlight=False)


@data_app.command("check")
def check(
    datadir: Annotated[Path, typer.Option(help="Candles to check.")] = _DATADIR,
    pairs: Annotated[list[str] | None, typer.Option(help="Default: all there are.")] = None,
    timeframes: Annotated[list[str] | None, typer.Option(help="Default: all there are.")] = None,
    trading_mode: Annotated[Mode, typer.Option(help="Which files to check.")] = Mode.SPOT,
) -> None:
    """Check candle files: a table of the sound ones, then what is wrong with the others (exit code 2)."""
    from rich.console import Console
    from rich.table import Table

    from coordinator.candles.files import (
        list_pairs,
        list_timeframes,
        read_candles,
        told_repair,
        unsound_pairs,
    )
    from coordinator.candles.timeframes import timeframe_milliseconds

    unsound: list[str] = []
    table = Table("pair", "timeframe", "candles", "missing", "from", "to", title=str(datadir))
    for mode in _modes(trading_mode):
        for pair in _split(pairs) or list_pairs(datadir, mode):
            wanted = _split(timeframes) or list_timeframes(datadir, pair, mode)
            if wrong := unsound_pairs(datadir, [pair], wanted, mode):
                unsound.append(f"{pair}: {wrong[pair]} {told_repair([pair], mode)}")
                continue
            for timeframe in wanted:
                dates = read_candles(datadir, pair, timeframe, mode)["date"]
                first, last = dates.iloc[0], dates.iloc[-1]
                span = (last - first).total_seconds() * 1000 / timeframe_milliseconds(timeframe)
                missing = round(span) + 1 - len(dates)
                days = (f"{first:%Y-%m-%d %H:%M}", f"{last:%Y-%m-%d %H:%M}")
                table.add_row(pair, timeframe, f"{len(dates):,}", str(missing), *days)
    if not table.row_count and not unsound:
        raise CoordinatorError("datadir", "coordinator data check", "hold candle files", str(datadir))
    if table.row_count:
        Console().print(table)
    for line in unsound:
        typer.echo(f"error: {line}", err=True)
    if unsound:
        raise typer.Exit(2)


def _split(values: list[str] | None) -> tuple[str, ...]:
    """Names given as repeated options or separated by commas or blanks."""
    return tuple(name for value in values or [] for name in re.split(r"[,\s]+", value) if name)


def _modes(mode: Mode) -> list[TradingMode]:
    if mode is Mode.BOTH:
        return ["spot", "futures"]
    return ["spot"] if mode is Mode.SPOT else ["futures"]


def _day(name: str, text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        owner = "coordinator data simulate"
        raise CoordinatorError(name, owner, "be a day such as 2024-01-31", text) from error
