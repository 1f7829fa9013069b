"""The files of a finished study: everything as JSON, the tuned keys as a config, a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna

from coordinator.errors import CoordinatorError
from coordinator.jobs.optimize.conclusion import Conclusion
from coordinator.jobs.optimize.parameters import with_values
from coordinator.jobs.optimize.problem import Problem
from coordinator.reports.texts import finite_json

__all__ = ["as_document", "tuned_config", "write_json"]


def as_document(
    study: optuna.Study,
    problem: Problem,
    conclusion: Conclusion,
    notes: list[str],
    speed: Mapping[str, float],
) -> dict[str, Any]:
    """All of a study as JSON; None for what is undefined or infinite.

    Parameters
    ----------
    notes : what is to be said about the run
    speed : of this process' search: trials, minutes, trials_per_hour, workers
    """
    luck, holdout = conclusion.luck, conclusion.holdout
    document = {
        "study": study.study_name,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        **problem.about(),
        "timerange": problem.plan.timerange,
        "speed": dict(speed),
        "best": {
            "trial": conclusion.best.number,
            "value": conclusion.best.value,
            "values": conclusion.values,
            "folds": _without_returns(conclusion.best.user_attrs["folds"]),
        },
        "own": {"values": conclusion.own, "folds": _without_returns(conclusion.own_folds)},
        "holdout_figures": {
            "best": holdout.best.as_json(),
            "own": holdout.own.as_json(),
            "computed": holdout.at,
            "other_winners_looked_at_before": list(holdout.others),
            "looked_at_before": holdout.again,
        },
        "importance": conclusion.importance,
        "overfitting": {
            "pbo": luck.overfitting.probability,
            "probability_of_loss": luck.overfitting.loss,
            "blocks": luck.overfitting.blocks,
            "days": luck.overfitting.days,
            "trials_with_all_days": luck.overfitting.trials,
            "deflated_sharpe": luck.deflated_sharpe,
            "trials": luck.trials,
            "spread_of_sharpe": luck.spread,
        },
        "warnings": list(luck.warnings),
        "notes": notes,
        "trials": [_trial(trial, problem) for trial in study.get_trials(deepcopy=False)],
    }
    return finite_json(document)  # type: ignore[no-any-return]


def tuned_config(conclusion: Conclusion) -> dict[str, Any]:
    """A Freqtrade config of the tuned keys alone, to be passed after the user's own."""
    return {"coordinator": with_values({}, conclusion.values)}


def write_json(content: Mapping[str, Any], path: Path) -> Path:
    """Write a file, and return its path.

    Raises
    ------
    CoordinatorError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise CoordinatorError("output", str(path), "be writable", str(error)) from error
    return path


def _trial(trial: optuna.trial.FrozenTrial, problem: Problem) -> dict[str, Any]:
    known = {p.name: p.tidy(trial.params[p.name]) for p in problem.parameters if p.name in trial.params}
    attributes = trial.user_attrs
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "value": trial.value,
        "values": known,
        "folds": attributes.get("folds", []),
        **{
            name: attributes[name]
            for name in ("retry_of", "withdrawn", "error", "refused")
            if name in attributes
        },
    }


def _without_returns(folds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in fold.items() if name != "returns"} for fold in folds]
