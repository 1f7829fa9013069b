"""The ``coordinator replay`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coordinator.errors import CoordinatorError
from coordinator.jobs.options import (
    ConfigOption,
    DatadirOption,
    ModeOption,
    PairsOption,
    chosen_configs,
    split_names,
    tell,
)
from coordinator.sandbox.commands import FaultOption

__all__ = ["replay"]

OWNER = "coordinator replay"
DAYS = 30  # unless a timerange is given


def replay(
    config: ConfigOption = None,
    timerange: Annotated[
        str | None, typer.Option(help="YYYYMMDD-YYYYMMDD; default: the last 30 days")
    ] = None,
    datadir: DatadirOption = None,
    pairs: PairsOption = None,
    trading_mode: ModeOption = None,
    strategy: Annotated[str, typer.Option(help="strategy class")] = "MLCoordinator",
    folder: Annotated[Path, typer.Option(help="the replay's user directory")] = Path("user_data/replay"),
    looks: Annotated[
        int, typer.Option(min=1, max=60, help="how often an hour the bot looks at the market")
    ] = 4,
    fill_at_once: Annotated[
        bool, typer.Option("--fill-at-once", help="orders cross the book instead of waiting in it")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare/--no-compare", help="beside the backtest of the same span")
    ] = True,
    follow: Annotated[
        bool, typer.Option("--continue", help="go on where a replay was broken off, kill -9 included")
    ] = False,
    fault: FaultOption = None,
) -> None:
    """Drive the real bot, FreqAI on, through historical candles; say where and why it differs from the backtest."""
    from coordinator.jobs.freqtrade_process import FreqtradeError
    from coordinator.jobs.replay.run import ReplayOptions, as_json, run_replay
    from coordinator.jobs.run_plan import plan_run
    from coordinator.jobs.simulated import chosen_datadir
    from coordinator.sandbox.faults import parse_faults

    console, configs = Console(), chosen_configs(config)
    faults = parse_faults(fault or [], OWNER)
    if 60 % looks:
        raise CoordinatorError("--looks", OWNER, "divide an hour's 60 minutes", looks)
    datadir = chosen_datadir(datadir, configs, trading_mode, folder.parent, console)
    plan = plan_run(configs, datadir, split_names(pairs), timerange, trading_mode, most_days=DAYS)
    tell(console, plan.told)
    options = ReplayOptions(strategy, looks, compare, follow, fill_at_once, faults)
    try:
        found = run_replay(plan, folder, options, console)
    except FreqtradeError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.code) from None
    for sentence in found.sentences():
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    output = folder / "replay-result.json"
    output.write_text(as_json(found), encoding="utf-8")
    console.print(f"Result: {output}; the bot's log: {folder / 'logs' / 'freqtrade.log'}", soft_wrap=True)
