"""`coordinator optimize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coordinator.errors import CoordinatorError

__all__ = ["optimize"]

TRIALS, QUICK_TRIALS = 50, 5
FOLDS, QUICK_FOLDS = 3, 2
MOST_DAYS, QUICK_DAYS = 730, 365


def optimize(
    trials: Annotated[int | None, typer.Option(help="trials to finish; default: 50, with --quick 5")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="2 folds, the last year, 5 trials")] = False,
    folds: Annotated[
        int | None, typer.Option(min=1, max=20, help="walk-forward blocks; default: 3, with --quick 2")
    ] = None,
    objective: Annotated[
        str, typer.Option(help="sharpe, sortino, calmar, profit_factor or expectancy_r")
    ] = "sharpe",
    strategy: Annotated[str, typer.Option(help="TechnicalBaseline or MLCoordinator")] = "TechnicalBaseline",
    only: Annotated[
        str | None,
        typer.Option(help='of the documented parameters only these, e.g. "exit_ma trend_ma", or none'),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="another setting: NAME, NAME=LOW:HIGH or NAME=A,B,C; repeat it"),
    ] = None,
    config: Annotated[Path, typer.Option(help="Freqtrade config")] = Path("config.json"),
    datadir: Annotated[
        Path | None, typer.Option(help="your candles; without it the simulated market")
    ] = None,
    timerange: Annotated[
        str | None, typer.Option(help="YYYYMMDD-YYYYMMDD; default: the last two years, or what there is")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option(help='e.g. "BTC/USDT ETH/USDT"; default: the whitelist')
    ] = None,
    trading_mode: Annotated[str | None, typer.Option(help="spot or futures; default: the config's")] = None,
    user_data: Annotated[Path, typer.Option(help="where results go")] = Path("user_data"),
    study: Annotated[
        str | None, typer.Option(help="name to share or go on with; default: by what it is about")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="postgresql://... shares the study; default: a journal file")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="processes here; default: one for each CPU")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="tcp://host:port of a dask cluster instead")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the proposals")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="print everything as JSON, and nothing else")
    ] = False,
) -> None:
    """Search settings by walk-forward backtests, and say how likely the winner is luck. The same command goes on."""
    import os

    from coordinator.jobs.optimize.figures import parse_objective
    from coordinator.jobs.optimize.parameters import choose_parameters
    from coordinator.jobs.optimize.problem import STRATEGIES, define_problem
    from coordinator.jobs.optimize.run import RunOptions, optimize_settings
    from coordinator.jobs.optimize.search import OptimizeError
    from coordinator.jobs.run_plan import parse_trading_mode, plan_run, read_config
    from coordinator.jobs.simulated import simulated_datadir

    if strategy not in STRATEGIES:
        raise CoordinatorError(
            "--strategy", "coordinator optimize", f"be {' or '.join(STRATEGIES)}", strategy
        )
    wanted = trials if trials is not None else QUICK_TRIALS if quick else TRIALS
    if wanted < 1:
        raise CoordinatorError("--trials", "coordinator optimize", "be 1 or more", wanted)
    goal = parse_objective(objective)
    content = read_config(config)
    chosen = choose_parameters(
        content.get("coordinator"), (only or "").replace(",", " ").split(), parameter or ()
    )
    if datadir is None:
        datadir = simulated_datadir(
            user_data, parse_trading_mode(trading_mode or content.get("trading_mode", "spot"))
        )
    plan = plan_run(
        config,
        datadir,
        pairs.replace(",", " ").split() if pairs else None,
        timerange,
        trading_mode,
        trains=strategy == STRATEGIES[0] and bool((content.get("freqai") or {}).get("enabled")),
        most_days=QUICK_DAYS if quick else MOST_DAYS,
    )
    problem = define_problem(
        plan, strategy, user_data, chosen, goal, folds or (QUICK_FOLDS if quick else FOLDS)
    )
    processes = workers or os.cpu_count() or 1
    options = RunOptions(wanted, processes, scheduler, study, storage, seed, as_json)
    try:
        optimize_settings(problem, options, user_data, Console())
    except OptimizeError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
