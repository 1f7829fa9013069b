"""Runs what is missing on the workers, several at once, and keeps each account the moment it is known."""

from __future__ import annotations

from collections.abc import Callable

from distributed import Client, Future, wait

from coordinator.errors import CoordinatorError
from coordinator.jobs.evaluation.account_job import run_account
from coordinator.jobs.evaluation.problem import EvaluationProblem
from coordinator.jobs.evaluation.store import AccountStore
from coordinator.jobs.evaluation.variants import Variant
from coordinator.reports.evaluation.account_run import AccountRun, no_account

__all__ = ["run_missing"]

POLL_SECONDS = 1.0
Report = Callable[[int, int], None]


def run_missing(
    problem: EvaluationProblem, store: AccountStore, client: Client, report: Report = lambda *_: None
) -> dict[str, AccountRun]:
    """Every account, those that were there too; one that failed has its problem and is not kept.

    Parameters
    ----------
    report : called with how many are known and how many there are, as far as that is known
    """
    flights: dict[Future[AccountRun], Variant] = {}
    done: dict[str, AccountRun] = {}
    asked: set[str] = set()
    try:
        while True:
            ready = [variant for variant in problem.ready(done) if variant.name not in asked]
            asked |= {variant.name for variant in ready}
            known = store.read(ready)
            done |= known
            for variant in ready:
                if variant.name not in known:
                    _submit(problem, store, client, variant, flights, done)
            report(len(done), max(problem.size, len(asked)))
            if not flights:
                if ready:
                    continue
                return done
            _collect(store, flights, done)
    except BaseException:
        client.cancel(list(flights))
        raise


def _submit(
    problem: EvaluationProblem,
    store: AccountStore,
    client: Client,
    variant: Variant,
    flights: dict[Future[AccountRun], Variant],
    done: dict[str, AccountRun],
) -> None:
    try:
        job = problem.job(variant)
    except CoordinatorError as error:  # a neighbour out of its bounds: tried, and refused
        done[variant.name] = no_account(variant.name, f"refused: it must {error.rule}")
        store.write(variant, done[variant.name])
        return
    flights[client.submit(run_account, job, pure=False, priority=job.priority)] = variant


def _collect(
    store: AccountStore, flights: dict[Future[AccountRun], Variant], done: dict[str, AccountRun]
) -> None:
    """Wait a moment for a job, and take in all that are done."""
    try:
        wait(list(flights), timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
    except TimeoutError:
        return
    for future in [future for future in flights if future.done()]:
        variant = flights.pop(future)
        error = future.exception()
        if error is not None:
            done[variant.name] = no_account(variant.name, f"failed: {error}")
            continue
        store.write(variant, future.result())
        done |= store.read([variant])  # as the file keeps it: the same command tomorrow reports the same
