"""What a study says when it is done: the winner, its holdout, what matters, and how likely it is luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import optuna
from distributed import Client
from optuna.trial import FrozenTrial, TrialState

from coordinator.jobs.optimize.evaluate import Job, Outcome, evaluate
from coordinator.jobs.optimize.figures import Figures
from coordinator.jobs.optimize.luck import Luck, judge_luck
from coordinator.jobs.optimize.parameters import Value
from coordinator.jobs.optimize.problem import Problem
from coordinator.jobs.optimize.search import OptimizeError, fold_json

__all__ = ["Conclusion", "Looks", "conclude", "own_values"]

OWN, HOLDOUT = "own", "holdout"


@dataclass(frozen=True)
class Looks:
    """The holdout's figures, and how untouched it still is.

    Attributes
    ----------
    best, own : figures of the winner and of the config's own settings
    at : when these were computed, UTC
    others : winners of this study that were looked at on the holdout before, by trial number
    again : whether this very winner was looked at before, so that the figures are the stored ones
    """

    best: Figures
    own: Figures
    at: str
    others: tuple[int, ...]
    again: bool


@dataclass(frozen=True)
class Conclusion:
    """Everything that is reported.

    Attributes
    ----------
    best : the winning trial; ``values`` its parameters as they go into a config
    own : the config's own values; ``own_folds`` their folds, as trials keep theirs
    holdout : Looks
    importance : share of each parameter in the differences between trials (fANOVA), the largest first; empty where
        the trials do not differ
    luck : Luck
    """

    best: FrozenTrial
    values: dict[str, Value]
    own: dict[str, Value]
    own_folds: list[dict[str, Any]]
    holdout: Looks
    importance: dict[str, float]
    luck: Luck


def conclude(study: optuna.Study, problem: Problem, client: Client, seed: int) -> Conclusion:
    """Look at a finished study, and at the holdout with its winner and the config's own settings.

    Raises
    ------
    OptimizeError
        If no trial was complete, or a backtest fails.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        raise OptimizeError("no trial came to its end: every combination of settings was refused")
    best = study.best_trial
    values = {p.name: p.tidy(best.params[p.name]) for p in problem.parameters}
    own = own_values(problem)
    own_folds = _own_folds(study, problem, client, own)
    holdout = _look(study, problem, client, best.number, values, own)
    tried = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    luck = judge_luck(complete, best, len(tried), holdout.best, holdout.own, problem.objective)
    return Conclusion(best, values, own, own_folds, holdout, _importance(study, seed), luck)


def own_values(problem: Problem) -> dict[str, Value]:
    """What the config has for each parameter; "unset" for one that may be absent and is."""
    values: dict[str, Value] = {}
    for parameter in problem.parameters:
        value: Any = problem.plan.settings
        for part in parameter.name.split("."):
            value = getattr(value, part)
        values[parameter.name] = "unset" if value is None else value
    return values


def _own_folds(
    study: optuna.Study, problem: Problem, client: Client, own: Mapping[str, Value]
) -> list[dict[str, Any]]:
    """The folds with the config's own settings; kept in the study for who comes later."""
    kept = study.user_attrs.get(OWN)
    if kept is not None and kept["values"] == dict(own):
        return list(kept["folds"])
    jobs = [problem.fold_job({}, fold) for fold in range(len(problem.periods.folds))]
    folds = [fold_json(outcome) for outcome in _run(client, jobs)]
    study.set_user_attr(OWN, {"values": dict(own), "folds": folds})
    return folds


def _look(
    study: optuna.Study,
    problem: Problem,
    client: Client,
    trial: int,
    values: Mapping[str, Value],
    own: Mapping[str, Value],
) -> Looks:
    """The holdout's figures: the stored ones where this winner was looked at before."""
    looks: list[dict[str, Any]] = list(study.user_attrs.get(HOLDOUT, []))
    others = tuple(sorted({look["trial"] for look in looks} - {trial}))
    for look in looks:
        if look["trial"] == trial and look["own_values"] == dict(own):
            best, before = (Figures.from_json(look[name]) for name in ("best", "own"))
            return Looks(best, before, look["at"], others, again=True)
    outcomes = _run(client, [problem.holdout_job(values), problem.holdout_job({})])
    best, before = (outcome.validation for outcome in outcomes)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    look = {"trial": trial, "at": at, "own_values": dict(own)}
    looks.append({**look, "best": best.as_json(), "own": before.as_json()})
    study.set_user_attr(HOLDOUT, looks)
    return Looks(best, before, at, others, again=False)


def _run(client: Client, jobs: Sequence[Job]) -> list[Outcome]:
    futures = [client.submit(evaluate, job, pure=False) for job in jobs]
    try:
        return [future.result() for future in futures]
    except Exception as error:
        raise OptimizeError(str(error)) from error


def _importance(study: optuna.Study, seed: int) -> dict[str, float]:
    """Functional ANOVA of a forest over the complete trials (Hutter, Hoos and Leyton-Brown, ICML 2014)."""
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    try:
        return optuna.importance.get_param_importances(study, evaluator=evaluator)
    except (RuntimeError, ValueError):  # one trial alone, or all of one value
        return {}
