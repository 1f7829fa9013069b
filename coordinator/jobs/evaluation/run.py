"""One `coordinator evaluate`: run what is missing, print what it says, write page and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from coordinator.jobs.cluster import connect_workers
from coordinator.jobs.evaluation.conclusion import conclude
from coordinator.jobs.evaluation.problem import EvaluationProblem
from coordinator.jobs.evaluation.schedule import run_missing
from coordinator.jobs.evaluation.store import AccountStore
from coordinator.jobs.options import tell
from coordinator.jobs.progress import counting_bar
from coordinator.reports.evaluation.markdown import evaluation_markdown
from coordinator.reports.evaluation.page import write_evaluation_page
from coordinator.reports.evaluation.picture import evaluation_picture
from coordinator.reports.evaluation.summary import summary_lines
from coordinator.whole_file import write_whole

__all__ = ["EvaluationOptions", "run_evaluation"]

OWNER = "coordinator evaluate"


@dataclass(frozen=True)
class EvaluationOptions:
    """How an evaluation is run, none of which changes an account.

    Attributes
    ----------
    workers : processes to start here
    scheduler : of an existing dask cluster instead; None for none
    tried : variants tried before
    command : what makes the evaluation again
    """

    workers: int
    scheduler: str | None
    tried: int
    command: str


def run_evaluation(
    problem: EvaluationProblem, options: EvaluationOptions, user_data: Path, console: Console
) -> list[str]:
    """Run, print, write; the names of the accounts that failed, which the same command tries again.

    Raises
    ------
    CoordinatorError
        If the scheduler cannot be used, or a file cannot be written.
    """
    folder = user_data / "evaluation" / problem.key
    store = AccountStore(folder / "accounts")
    console.print(f"Accounts: {store.folder}", soft_wrap=True, highlight=False, markup=False)
    workers = connect_workers(options.workers, options.scheduler, OWNER)
    with workers as (client, _), counting_bar(console, "Accounts") as report:
        accounts = run_missing(problem, store, client, report)
    evaluation = conclude(problem, accounts, options.command, options.tried)
    console.print(evaluation.title, soft_wrap=True, highlight=False, markup=False)
    tell(console, summary_lines(evaluation))
    table = folder / "evaluation.md"
    write_whole(table, evaluation_markdown(evaluation).encode())
    picture = folder / "evaluation.svg"
    write_whole(picture, evaluation_picture(evaluation).encode())
    page = write_evaluation_page(evaluation, folder / "evaluation.html")
    tell(console, (f"Table: {table}", f"Picture: {picture}", f"Page: {page}"))
    failed = [run.name for run in accounts.values() if run.problem.startswith("failed")]
    tell(console, (f"FAILED: {name}: {accounts[name].problem}" for name in failed))
    return failed
