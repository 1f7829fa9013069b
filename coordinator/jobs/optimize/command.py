"""`coordinator optimize`."""

from __future__ import annotations

import os
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
    SchedulerOption,
    WorkersOption,
    chosen_configs,
    split_names,
    tell,
)

__all__ = ["optimize"]

OWNER = "coordinator optimize"
TRIALS, QUICK_TRIALS = 50, 5
FOLDS, QUICK_FOLDS = 3, 2
MOST_DAYS, QUICK_DAYS = 730, 365

Trials = Annotated[int | None, typer.Option(help="trials to finish; default: 50, with --quick 5")]
Quick = Annotated[bool, typer.Option("--quick", help="2 folds, the last year, 5 trials")]
Folds = Annotated[
    int | None, typer.Option(min=1, max=20, help="walk-forward blocks; default: 3, with --quick 2")
]
Objective = Annotated[str, typer.Option(help="sharpe, sortino, calmar, profit_factor or expectancy_r")]
Strategy = Annotated[str, typer.Option(help="TechnicalBaseline or MLCoordinator")]
Only = Annotated[
    str | None,
    typer.Option(help='of the documented parameters only these, e.g. "exit_ma trend_ma", or none'),
]
Extra = Annotated[
    list[str] | None,
    typer.Option("--parameter", help="another setting: NAME, NAME=LOW:HIGH or NAME=A,B,C; repeat it"),
]
Timerange = Annotated[
    str | None, typer.Option(help="YYYYMMDD-YYYYMMDD; default: the last two years, or what there is")
]
UserData = Annotated[Path, typer.Option(help="where results go")]
StudyName = Annotated[
    str | None, typer.Option(help="name to share or go on with; default: by what it is about")
]
Storage = Annotated[
    str | None, typer.Option(help="postgresql://... shares the study; default: a journal file")
]
Seed = Annotated[int, typer.Option(min=0, help="of the proposals")]
AsJson = Annotated[bool, typer.Option("--json", help="print everything as JSON, and nothing else")]


def optimize(
    trials: Trials = None,
    quick: Quick = False,
    folds: Folds = None,
    objective: Objective = "sharpe",
    strategy: Strategy = "TechnicalBaseline",
    only: Only = None,
    parameter: Extra = None,
    config: ConfigOption = None,
    datadir: DatadirOption = None,
    timerange: Timerange = None,
    pairs: PairsOption = None,
    trading_mode: ModeOption = None,
    user_data: UserData = Path("user_data"),
    study: StudyName = None,
    storage: Storage = None,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Search settings by walk-forward backtests, and say how likely the winner is luck. The same command goes on."""
    from coordinator.adapters.configuration import read_config
    from coordinator.jobs.optimize import run
    from coordinator.jobs.optimize.figures import parse_objective
    from coordinator.jobs.optimize.parameters import choose_parameters
    from coordinator.jobs.optimize.problem import STRATEGIES, define_problem
    from coordinator.jobs.optimize.search import OptimizeError
    from coordinator.jobs.run_plan import plan_run
    from coordinator.jobs.simulated import chosen_datadir

    wanted = trials if trials is not None else QUICK_TRIALS if quick else TRIALS
    if wanted < 1:
        raise CoordinatorError("--trials", OWNER, "be 1 or more", wanted)
    if strategy not in STRATEGIES:
        raise CoordinatorError("--strategy", OWNER, f"be {' or '.join(STRATEGIES)}", strategy)
    configs = chosen_configs(config)
    goal, content = parse_objective(objective), read_config(configs)
    chosen = choose_parameters(content.get("coordinator"), split_names(only) or [], parameter or ())
    notes = Console(stderr=True)
    datadir = chosen_datadir(datadir, configs, trading_mode, user_data, notes)
    trains = strategy == STRATEGIES[0] and bool((content.get("freqai") or {}).get("enabled"))
    days = QUICK_DAYS if quick else MOST_DAYS
    plan = plan_run(
        configs, datadir, split_names(pairs), timerange, trading_mode, trains=trains, most_days=days
    )
    tell(notes, plan.told)
    blocks = folds or (QUICK_FOLDS if quick else FOLDS)
    problem = define_problem(plan, strategy, user_data, chosen, goal, blocks)
    processes = workers or os.cpu_count() or 1
    options = run.RunOptions(wanted, processes, scheduler, study, storage, seed, as_json)
    try:
        run.optimize_settings(problem, options, user_data, Console())
    except OptimizeError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
