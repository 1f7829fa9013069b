"""`coordinator backtest` and `coordinator settings`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coordinator.jobs.options import (
    ConfigOption,
    DatadirOption,
    ModeOption,
    PairsOption,
    chosen_configs,
    split_names,
    tell,
)

__all__ = ["backtest", "settings_app"]

settings_app = typer.Typer(help="The settings in config.json.", no_args_is_help=True)


def backtest(
    config: ConfigOption = None,
    datadir: DatadirOption = None,
    timerange: Annotated[
        str | None, typer.Option(help="YYYYMMDD-YYYYMMDD; default: the last 240 days")
    ] = None,
    pairs: PairsOption = None,
    trading_mode: ModeOption = None,
    user_data: Annotated[Path, typer.Option(help="where results go")] = Path("user_data"),
) -> None:
    """Backtest MLCoordinator beside TechnicalBaseline and buy-and-hold, offline; table and HTML report."""
    from coordinator.jobs.backtest import STRATEGIES, run_backtests
    from coordinator.jobs.freqtrade_process import FreqtradeError
    from coordinator.jobs.run_plan import plan_run
    from coordinator.jobs.simulated import chosen_datadir

    console, configs = Console(), chosen_configs(config)
    datadir = chosen_datadir(datadir, configs, trading_mode, user_data, console)
    plan = plan_run(configs, datadir, split_names(pairs), timerange, trading_mode)
    tell(console, plan.told)
    try:
        report = run_backtests(plan, STRATEGIES, user_data, console)
    except FreqtradeError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.code) from None
    console.print(f"Report: {report}", soft_wrap=True)


@settings_app.command("check")
def check(config: ConfigOption = None) -> None:
    """Check the "coordinator" section of a config."""
    from coordinator.adapters.configuration import read_config
    from coordinator.settings import load_settings

    configs = chosen_configs(config)
    load_settings(read_config(configs).get("coordinator"))
    typer.echo(f"{', '.join(map(str, configs))}: the coordinator section is valid")


@settings_app.command("schema")
def schema() -> None:
    """Print the JSON schema of the "coordinator" section."""
    from coordinator.settings import Settings

    typer.echo(json.dumps(Settings.model_json_schema(), indent=2))
