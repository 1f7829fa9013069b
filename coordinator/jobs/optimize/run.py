"""One `coordinator optimize`: search, conclude, write."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
from rich.console import Console

from coordinator.jobs.cluster import connect_workers
from coordinator.jobs.optimize.conclusion import Conclusion, conclude
from coordinator.jobs.optimize.outputs import as_document, tuned_config, write_json
from coordinator.jobs.optimize.owners import Owner, this_process
from coordinator.jobs.optimize.problem import Problem
from coordinator.jobs.optimize.search import Search
from coordinator.jobs.optimize.storage import open_storage
from coordinator.jobs.optimize.study import StudyKeeper, finished, join_study
from coordinator.jobs.optimize.table import (
    figure_rows,
    importance_lines,
    luck_lines,
    print_conclusion,
    value_rows,
)
from coordinator.jobs.progress import counting_bar
from coordinator.reports.optimization import write_optimization_page
from coordinator.shown_url import shown_url

__all__ = ["RunOptions", "optimize_settings"]


@dataclass(frozen=True)
class RunOptions:
    """How a study is run, none of which changes what it is about.

    Attributes
    ----------
    trials : to finish, by all processes that share the study
    workers : processes to start here
    scheduler : of an existing dask cluster instead; None for none
    study : its name; None for one that says what it is about
    storage : URL; None for a journal file under user_data
    seed : of the sampler
    as_json : print the JSON document alone
    """

    trials: int
    workers: int
    scheduler: str | None
    study: str | None
    storage: str | None
    seed: int
    as_json: bool


def optimize_settings(problem: Problem, options: RunOptions, user_data: Path, console: Console) -> Path:
    """Search until the study has its trials, print what came of it, write the files.

    Returns
    -------
    Path
        The JSON file; the config and the page lie beside it.

    Raises
    ------
    CoordinatorError
        If the study is about something else, or the storage or scheduler cannot be used.
    OptimizeError
        If a backtest fails.
    """
    folder = user_data / "optimize"
    name = options.study or _default_name(problem, options.seed)
    journal = folder / f"{name}.journal"
    place = journal if options.storage is None else shown_url(options.storage)
    said = Console(stderr=True) if options.as_json else console
    study = join_study(open_storage(options.storage, journal), name, problem.about(), options.seed)
    said.print(f"Study {name} in {place}", soft_wrap=True, highlight=False, markup=False)
    mine = this_process()
    keeper = StudyKeeper(study, mine, options.trials, len(problem.parameters))
    before = len(finished(keeper.trials()))
    notes = _notes(problem)
    if before:
        notes.append(f"{before} trials were finished before")
    for note in notes:
        said.print(note, soft_wrap=True, highlight=False, markup=False)
    with connect_workers(options.workers, options.scheduler, "coordinator optimize") as (client, width):
        began = time.perf_counter()
        with counting_bar(said, "Trials", options.trials) as report:
            Search(keeper, problem, client, width, report).run(options.trials)
        speed = _speed(keeper, mine, time.perf_counter() - began, width)
        conclusion = conclude(study, problem, client, options.seed)
    document = as_document(study, problem, conclusion, notes, speed)
    if options.as_json:
        console.print(
            json.dumps(document, indent=2, allow_nan=False), soft_wrap=True, highlight=False, markup=False
        )
    else:
        if speed["trials"]:
            console.print(
                f"{speed['trials']:.0f} trials in {speed['minutes']:.1f} minutes, {speed['trials_per_hour']:,.0f} an "
                f"hour with {speed['workers']:.0f} workers",
                highlight=False,
                soft_wrap=True,
            )
        print_conclusion(conclusion, problem, console)
    return _write(folder, document, conclusion, problem, study, said)


def _speed(keeper: StudyKeeper, owner: Owner, seconds: float, width: int) -> dict[str, float]:
    """What this process' search has done; the others' trials are theirs."""
    made = sum(trial.user_attrs.get("owner") == owner.as_json() for trial in finished(keeper.trials()))
    return {
        "trials": made,
        "minutes": round(seconds / 60, 2),
        "trials_per_hour": round(3600 * made / seconds),
        "workers": width,
    }


def _write(
    folder: Path,
    document: dict[str, Any],
    conclusion: Conclusion,
    problem: Problem,
    study: optuna.Study,
    said: Console,
) -> Path:
    stem = _free_stem(folder)
    result = write_json(document, folder / f"{stem}.json")
    config = write_json(tuned_config(conclusion), folder / f"{stem}_config.json")
    head, rows = figure_rows(conclusion)
    page = write_optimization_page(
        study,
        {
            "title": f"{problem.market.strategy}, {problem.objective}, {', '.join(problem.plan.pairs)}",
            "about": problem.about(),
            "values": value_rows(conclusion),
            "figures_head": head,
            "figures_rows": rows,
            "importance": importance_lines(conclusion.importance),
            "luck": luck_lines(conclusion, problem),
            "notes": document["notes"],
        },
        conclusion.importance,
        folder / f"{stem}.html",
    )
    said.print(f"Everything: {result}", soft_wrap=True, highlight=False)
    said.print(f"Page: {page}", soft_wrap=True, highlight=False)
    own = " ".join(f"-c {path}" for path in problem.plan.config_paths)
    said.print(
        f"To trade it: freqtrade trade --strategy {problem.market.strategy} {own} -c {config}",
        soft_wrap=True,
        highlight=False,
    )
    return result


def _free_stem(folder: Path) -> str:
    """A name by the time that no other run has taken."""
    stem = f"strategy_opt_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    taken = 1
    while list(folder.glob(f"{stem}{f'-{taken}' if taken > 1 else ''}*.json")):
        taken += 1
    return f"{stem}-{taken}" if taken > 1 else stem


def _default_name(problem: Problem, seed: int) -> str:
    """The same for the same question, so that the same command goes on with its study."""
    content = json.dumps([problem.about(), seed], sort_keys=True)
    return f"{problem.market.strategy}-{problem.objective}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _notes(problem: Problem) -> list[str]:
    """What a user should know before it runs."""
    notes = [f"Fold {i}: {fold}" for i, fold in enumerate(problem.periods.folds, 1)]
    by_name = {parameter.name: parameter for parameter in problem.parameters}
    positions = by_name.get("portfolio.max_positions")
    slots, pairs = problem.plan.config.get("max_open_trades", -1), len(problem.plan.pairs)
    limit = min(slots if slots > 0 else pairs, pairs)
    if positions is not None and positions.high > limit:
        notes.append(
            f"portfolio.max_positions changes nothing above {limit}: {pairs} pairs, max_open_trades {slots}"
        )
    if changing := problem.changes_predictions:
        notes.append(
            f"{', '.join(changing)} change what the models learn from: every trial trains its own models. "
            "With --only or --parameter on other settings the stored predictions serve all trials"
        )
    return notes
