"""The ``coordinator demo`` command."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coordinator.jobs.options import ConfigOption, DatadirOption, ModeOption, PairsOption, chosen_configs
from coordinator.sandbox.commands import FaultOption

__all__ = ["demo"]

OWNER = "coordinator demo"
# In the simulated market the first trade opens three hours later.
START = "2023-03-05T06:00"


def demo(
    config: ConfigOption = None,
    speed: Annotated[float, typer.Option(help="seconds of the market in a real one")] = 3600.0,
    start: Annotated[str | None, typer.Option(help=f"first moment, UTC [default: {START}]")] = None,
    end: Annotated[str | None, typer.Option(help="last moment, UTC; default: the last candle")] = None,
    datadir: DatadirOption = None,
    pairs: PairsOption = None,
    trading_mode: ModeOption = None,
    strategy: Annotated[str, typer.Option(help="strategy class")] = "MLCoordinator",
    folder: Annotated[
        Path, typer.Option(help="the demo's user directory: an earlier demo's is made anew")
    ] = Path("user_data/demo"),
    port: Annotated[int, typer.Option(help="of the API and FreqUI on 127.0.0.1; 0 takes a free one")] = 8080,
    fast_start: Annotated[
        bool, typer.Option("--fast-start", help="let ML learn from the history first, which takes minutes")
    ] = False,
    fault: FaultOption = None,
    streams: Annotated[bool, typer.Option("--streams", help="candles over websocket")] = False,
    follow: Annotated[bool, typer.Option("--continue", help="go on where the last demo stopped")] = False,
) -> None:
    """Run a dry-run bot with FreqAI, API and FreqUI offline, at many times the speed of the market; Ctrl-C ends it."""
    from coordinator.jobs.demo.run import DemoOptions, run_demo
    from coordinator.sandbox.faults import parse_faults

    asked = DemoOptions(
        configs=chosen_configs(config),
        datadir=datadir,
        pairs=pairs,
        trading_mode=trading_mode,
        start=start or START,
        end=end,
        speed=speed,
        strategy=strategy,
        folder=folder,
        port=port,
        fast_start=fast_start,
        faults=parse_faults(fault or [], OWNER),
        streams=streams,
        follow=follow,
        again=shlex.join(["coordinator", *sys.argv[1:], *([] if follow else ["--continue"])]),
    )
    code = run_demo(asked, Console())
    if code not in (0, 130):
        raise typer.Exit(code)
