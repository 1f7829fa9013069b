"""`coordinator evaluate`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from coordinator.jobs.evaluation.variants import Group

__all__ = ["evaluate"]

OWNER = "coordinator evaluate"
ALL_DAYS = 100_000

Timerange = Annotated[
    str | None, typer.Option(help="YYYYMMDD-YYYYMMDD; default: all days after the first training")
]
UserData = Annotated[Path, typer.Option(help="where accounts and the report go")]
Starts = Annotated[
    int,
    typer.Option(
        min=0, max=52, help="begin the baseline on so many days over the first half of the timerange"
    ),
]
Noise = Annotated[int, typer.Option(min=0, max=200, help="seeds of noise in every model's place")]
Random = Annotated[int, typer.Option(min=0, max=1000, help="seeds of random entries")]
Parts = Annotated[
    str | None,
    typer.Option(
        help="only these beside the accounts: say, components, models, controls, improvements, parameters, fees, "
        "starts, random; default: all but models, which train anew"
    ),
]
Tried = Annotated[int, typer.Option(min=0, help="variants you tried before, for the deflated Sharpe ratio")]
Quick = Annotated[
    bool,
    typer.Option("--quick", help="3 starts, 3 seeds of noise, 10 random ones, no parameters, one training"),
]


def evaluate(
    config: ConfigOption = None,
    datadir: DatadirOption = None,
    timerange: Timerange = None,
    pairs: PairsOption = None,
    trading_mode: ModeOption = None,
    user_data: UserData = Path("user_data"),
    parts: Parts = None,
    quick: Quick = False,
    starts: Starts = 12,
    noise: Noise = 10,
    random: Random = 50,
    tried: Tried = 0,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Measure whether it earns its keep: ML, its parts, controls, improvements, fees. The same command goes on."""
    from coordinator.jobs.evaluation.problem import define_evaluation
    from coordinator.jobs.evaluation.run import EvaluationOptions, run_evaluation
    from coordinator.jobs.evaluation.variants import Sizes
    from coordinator.jobs.run_plan import plan_run
    from coordinator.jobs.simulated import chosen_datadir

    configs, notes = chosen_configs(config), Console(stderr=True)
    named = datadir
    datadir = chosen_datadir(datadir, configs, trading_mode, user_data, notes)
    plan = plan_run(configs, datadir, split_names(pairs), timerange, trading_mode, most_days=ALL_DAYS)
    tell(notes, plan.told)
    groups = _groups(split_names(parts), quick)
    sizes = (
        Sizes(groups, min(starts, 3), min(noise, 3), min(random, 10), trainings=False)
        if quick
        else Sizes(groups, starts, noise, random)
    )
    given = {
        "--datadir": named,
        "--pairs": pairs,
        "--timerange": plan.timerange,
        "--trading-mode": plan.trading_mode,
        "--parts": parts,
        "--starts": starts,
        "--noise": noise,
        "--random": random,
        "--tried": tried,
    }
    words = [*OWNER.split(), *(word for path in config or () for word in ("-c", str(path)))]
    words += [str(word) for name, value in given.items() if value is not None for word in (name, value)]
    words += ["--quick"] if quick else []
    options = EvaluationOptions(workers or os.cpu_count() or 1, scheduler, tried, shlex.join(words))
    failed = run_evaluation(define_evaluation(plan, user_data, sizes), options, user_data, Console())
    raise typer.Exit(1 if failed else 0)


def _groups(names: list[str] | None, quick: bool) -> tuple[Group, ...]:
    """The groups of some names; without any all but other models, and in a quick run but the parameters."""
    from coordinator.jobs.evaluation.variants import GROUPS

    left_out = {"models", "parameters"} if quick else {"models"}
    unknown = [name for name in names or () if name not in GROUPS]
    if unknown:
        raise CoordinatorError("--parts", OWNER, f"be some of {', '.join(GROUPS[1:])}", " ".join(unknown))
    return tuple(group for group in GROUPS if (group in names if names else group not in left_out))
