"""TPE whose proposals depend on the seed, the trial's number and the trials before it, and on nothing else."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

__all__ = ["NumberedSampler"]

RANDOM_TRIALS = 10  # before TPE has something to learn from


class NumberedSampler(BaseSampler):
    """A TPE sampler for each trial, seeded by the trial's number.

    One sampler with one seed would begin anew in each process: two searches of a study would propose the same trials,
    and a search that goes on after a kill would propose again what it had.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tpe = self._numbered(0)

    def _numbered(self, number: int) -> TPESampler:
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return TPESampler(
                n_startup_trials=RANDOM_TRIALS, multivariate=True, constant_liar=True, seed=seed
            )

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self._tpe = self._numbered(trial.number)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._tpe.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._tpe.sample_relative(study, trial, dict(search_space))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._tpe.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        self._tpe.after_trial(study, trial, state, values)
