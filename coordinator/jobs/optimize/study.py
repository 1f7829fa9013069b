"""The study that searches share: joining it, claiming a trial, and bringing back those of processes that died.

Rules that need no lock, as all that is decided depends on the trials' numbers, which the storage gives once:

- a process writes itself into a trial as soon as it has one (``owner``), and its signs of life into the study;
- a running trial of a dead process is marked failed, which only one process can do;
- a failed trial that was lost so gets a successor with the same parameters (``retry_of``); of two successors, made
  at the same moment or after a kill in between, the lower number counts and the other one is withdrawn;
- a trial beyond the number wanted, counted in order of their numbers, is withdrawn, too.

Optuna's own heartbeat works within ``study.optimize`` and in databases alone, and sees a death only after its grace
period; these rules hold in a journal, too, and on the same machine at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from coordinator.errors import CoordinatorError
from coordinator.jobs.optimize.owners import BEAT_SECONDS, Owner
from coordinator.jobs.optimize.sampler import NumberedSampler

__all__ = ["StudyKeeper", "finished", "join_study", "lost"]

ABOUT = "about"
OWNER, RETRY_OF, WITHDRAWN, ERROR = "owner", "retry_of", "withdrawn", "error"
UNOWNED_SECONDS = 5.0  # a living process writes itself into its trial at once
WARM_UP_TRIALS = 10


def join_study(storage: BaseStorage, name: str, about: Mapping[str, Any], seed: int) -> optuna.Study:
    """The study of a name, made if it is not there.

    Parameters
    ----------
    about : what its trials have in common, JSON; must be the same for everyone who joins

    Raises
    ------
    CoordinatorError
        If the study is about something else, naming what differs and what to type.
    """
    study = optuna.create_study(
        study_name=name,
        storage=storage,
        sampler=NumberedSampler(seed),
        # The worst quarter after the first fold, of ten trials or more, is hopeless.
        pruner=optuna.pruners.PercentilePruner(75.0, n_startup_trials=WARM_UP_TRIALS),
        direction="maximize",
        load_if_exists=True,
    )
    wanted = json.loads(json.dumps(about))
    if ABOUT not in study.user_attrs:
        study.set_user_attr(ABOUT, wanted)
    kept = study.user_attrs[ABOUT]
    for key in (*wanted, *kept):
        if kept.get(key) != wanted.get(key):
            rule = f"have the {key} of this command ({_short(wanted.get(key))}); type another --study"
            raise CoordinatorError("--study", name, rule, _short(kept.get(key)))
    return study


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 200 else text[:200] + "..."


def finished(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that were tried: to their end, or until they were seen to be hopeless."""
    return [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]


def lost(trials: Iterable[FrozenTrial], parameters: int) -> list[FrozenTrial]:
    """Failed trials that are to be run again: their process died, and they have no successor yet.

    One that died before it had all its parameters holds nothing that could be lost.
    """
    trials = list(trials)
    succeeded = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    return [
        trial
        for trial in trials
        if trial.state == TrialState.FAIL
        and len(trial.params) == parameters
        and not {WITHDRAWN, ERROR} & set(trial.user_attrs)
        and trial.number not in succeeded
    ]


class StudyKeeper:
    """A process' hold on a study.

    Parameters
    ----------
    study : of :func:`join_study`
    owner : this process
    wanted : trials to finish, by all processes together
    parameters : how many parameters a trial has
    """

    def __init__(self, study: optuna.Study, owner: Owner, wanted: int, parameters: int) -> None:
        self.study, self._owner, self._wanted, self._parameters = study, owner, wanted, parameters
        self._last_beat = 0.0
        self._seen_unowned: dict[int, float] = {}

    def trials(self) -> list[FrozenTrial]:
        """All trials, in order of their numbers."""
        return self.study.get_trials(deepcopy=False)

    def recover(self) -> int:
        """Give a sign of life, fail the trials of dead processes, queue again what was lost; how many were queued."""
        if time.monotonic() - self._last_beat > BEAT_SECONDS:
            self.study.set_user_attr(self._owner.key, time.time())
            self._last_beat = time.monotonic()
        trials = self.trials()
        beats = self.study.user_attrs if any(t.state == TrialState.RUNNING for t in trials) else {}
        for trial in trials:
            if trial.state == TrialState.RUNNING and self._is_dead(trial, beats):
                with suppress(UpdateFinishedTrialError, ValueError):
                    self.study.tell(trial.number, state=TrialState.FAIL)
        again = lost(self.trials(), self._parameters)
        for trial in again:
            self.study.enqueue_trial(trial.params, user_attrs={RETRY_OF: trial.number})
        return len(again)

    def claim(self) -> optuna.Trial | None:
        """A trial to run, of those that wait or a new one; None while there are enough."""
        while True:
            trials = self.trials()
            waiting = any(trial.state == TrialState.WAITING for trial in trials)
            if not waiting and len(self._counted(trials)) >= self._wanted:
                return None
            trial = self.study.ask()
            trial.set_user_attr(OWNER, self._owner.as_json())
            if not self._is_surplus(trial.number, self.trials()):
                return trial
            trial.set_user_attr(WITHDRAWN, True)
            self.study.tell(trial, state=TrialState.FAIL)

    def give_up(self, trial: optuna.Trial, error: str = "") -> None:
        """Fail a trial of this process; with an error it is not run again."""
        if error:
            trial.set_user_attr(ERROR, error)
        with suppress(UpdateFinishedTrialError, ValueError):
            self.study.tell(trial, state=TrialState.FAIL)

    def _counted(self, trials: list[FrozenTrial]) -> list[int]:
        """Numbers of the trials that are or will be among those wanted."""
        again = {trial.number for trial in lost(trials, self._parameters)}
        return [trial.number for trial in trials if trial.state != TrialState.FAIL or trial.number in again]

    def _is_surplus(self, number: int, trials: list[FrozenTrial]) -> bool:
        origin = trials[number].user_attrs.get(RETRY_OF)
        if origin is not None:
            return any(t.number < number and t.user_attrs.get(RETRY_OF) == origin for t in trials)
        return sum(counted < number for counted in self._counted(trials)) >= self._wanted

    def _is_dead(self, trial: FrozenTrial, beats: Mapping[str, Any]) -> bool:
        owner = trial.user_attrs.get(OWNER)
        if owner is not None:
            return Owner(**owner) != self._owner and not Owner(**owner).lives(beats)
        seen = self._seen_unowned.setdefault(trial.number, time.monotonic())
        return time.monotonic() - seen > UNOWNED_SECONDS
