"""The search: trials of the study run on the workers, several at once, until enough of them are finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from distributed import Client, Future, wait
from optuna.trial import TrialState

from coordinator.errors import CoordinatorError
from coordinator.jobs.optimize.evaluate import Outcome, evaluate
from coordinator.jobs.optimize.figures import score
from coordinator.jobs.optimize.parameters import Value
from coordinator.jobs.optimize.problem import Problem
from coordinator.jobs.optimize.study import StudyKeeper, finished
from coordinator.settings import load_settings

__all__ = ["OptimizeError", "Search", "fold_json"]

POLL_SECONDS = 1.0


class OptimizeError(RuntimeError):
    """A backtest of the search could not be run, in Freqtrade's own words."""


@dataclass
class _Flight:
    """A trial on the workers: its jobs by fold, and what has come back."""

    trial: optuna.Trial
    values: Mapping[str, Value]
    jobs: dict[int, Future[Outcome]] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)


class Search:
    """Runs trials until the study holds as many as wanted, whoever ran them.

    A trial's first fold goes first; unless the study's pruner finds it hopeless then, the others follow together.

    Parameters
    ----------
    keeper : this process' hold on the study
    problem : what is searched
    client, width : the workers, and how many trials are run at once
    report : called after each step with the number of finished trials
    """

    def __init__(
        self,
        keeper: StudyKeeper,
        problem: Problem,
        client: Client,
        width: int,
        report: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._keeper, self._problem, self._client, self._width = keeper, problem, client, width
        self._report = report
        self._flights: list[_Flight] = []

    def run(self, wanted: int) -> None:
        """Search.

        Raises
        ------
        OptimizeError
            If a backtest fails. Trials that were running are run again by the next search, the failed one is not.
        """
        try:
            while True:
                self._keeper.recover()
                self._start()
                done = len(finished(self._keeper.trials()))
                self._report(done)
                if not self._flights:
                    if done >= wanted:
                        return
                    time.sleep(POLL_SECONDS)  # the last ones are other processes'
                    continue
                self._collect()
        except BaseException:
            for flight in self._flights:
                self._client.cancel(list(flight.jobs.values()))
                self._keeper.give_up(flight.trial)
            raise

    def _start(self) -> None:
        while len(self._flights) < self._width:
            trial = self._keeper.claim()
            if trial is None:
                return
            values = {p.name: p.suggest(trial) for p in self._problem.parameters}
            try:
                load_settings(self._problem.section(values))
            except CoordinatorError as error:
                # Settings can forbid a combination (an exit channel longer than the fast one): tried, and hopeless.
                trial.set_user_attr("refused", str(error))
                self._keeper.study.tell(trial, state=TrialState.PRUNED)
                continue
            flight = _Flight(trial, values)
            self._flights.append(flight)
            self._submit(flight, 0)

    def _submit(self, flight: _Flight, fold: int) -> None:
        job = self._problem.fold_job(flight.values, fold)
        flight.jobs[fold] = self._client.submit(evaluate, job, pure=False)

    def _collect(self) -> None:
        """Wait a moment for a job, and take in all that are done."""
        jobs = [job for flight in self._flights for job in flight.jobs.values()]
        try:
            wait(jobs, timeout=POLL_SECONDS, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return
        for flight in list(self._flights):
            for fold, job in list(flight.jobs.items()):
                if job.done():
                    self._take(flight, fold, job)

    def _take(self, flight: _Flight, fold: int, job: Future[Outcome]) -> None:
        try:
            flight.outcomes[fold] = job.result()
        except Exception as error:
            self._keeper.give_up(flight.trial, f"{type(error).__name__}: {error}")
            self._flights.remove(flight)
            raise OptimizeError(str(error)) from error
        del flight.jobs[fold]
        if fold == 0:
            flight.trial.report(self._value(flight), 0)
            if len(self._problem.periods.folds) > 1 and flight.trial.should_prune():
                self._finish(flight, TrialState.PRUNED)
                return
            for other in range(1, len(self._problem.periods.folds)):
                self._submit(flight, other)
        if len(flight.outcomes) == len(self._problem.periods.folds):
            self._finish(flight, TrialState.COMPLETE)

    def _finish(self, flight: _Flight, state: TrialState) -> None:
        """Keep everything with the trial first: once it is told, nobody looks at it again."""
        flight.trial.set_user_attr("folds", [fold_json(flight.outcomes[i]) for i in sorted(flight.outcomes)])
        value = self._value(flight) if state == TrialState.COMPLETE else None
        self._keeper.study.tell(flight.trial, value, state=state)
        self._flights.remove(flight)

    def _value(self, flight: _Flight) -> float:
        """Mean of the validation figures so far."""
        objective = self._problem.objective
        return float(np.mean([score(o.validation, objective) for o in flight.outcomes.values()]))


def fold_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as the study keeps it."""
    return {
        "train": None if outcome.train is None else outcome.train.as_json(),
        "validation": outcome.validation.as_json(),
        "returns": list(outcome.returns),
        "validation_days": outcome.validation_days,
        "seconds": round(outcome.seconds, 3),
    }
