"""Joining a study, claiming trials, and what becomes of those of dead processes; on a real journal."""

import os
import socket
import subprocess
import sys
import time

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from coordinator.errors import CoordinatorError
from coordinator.jobs.optimize.owners import Owner, this_process
from coordinator.jobs.optimize.sampler import NumberedSampler
from coordinator.jobs.optimize.storage import open_storage
from coordinator.jobs.optimize.study import StudyKeeper, finished, join_study

ABOUT = {"objective": "sharpe", "folds": ["a", "b"], "pairs": ["BTC/USDT"]}


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "optimize" / "s.journal"


def join(journal, about=ABOUT, seed=0):
    return join_study(open_storage(None, journal), "s", about, seed)


def keeper(journal, owner=None, wanted=4):
    return StudyKeeper(join(journal), owner or this_process(), wanted, 2)


def draw(trial):
    return trial.suggest_float("x", 0, 1), trial.suggest_int("k", 1, 1000)


def dead_process():
    """An owner on this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        pass
    return Owner(socket.gethostname(), child.pid, time.time())


def test_a_study_about_something_else_is_refused_with_what_to_type(journal):
    join(journal)
    join(journal)
    with pytest.raises(CoordinatorError, match=r"have the objective .*another --study\. Got '\"sharpe\"'"):
        join(journal, {**ABOUT, "objective": "calmar"})
    with pytest.raises(CoordinatorError, match="have the folds"):
        join(journal, {**ABOUT, "folds": ["a"]})
    with pytest.raises(CoordinatorError, match="have the more"):
        join(journal, {**ABOUT, "more": 1})


def test_no_more_trials_than_wanted_whoever_claims(journal):
    first, second = keeper(journal), keeper(journal)
    claimed = [k.claim() for k in (first, second, first, second)]
    assert all(trial is not None for trial in claimed)
    assert first.claim() is None and second.claim() is None
    for trial in claimed:
        draw(trial)
        trial.study.tell(trial, 1.0)
    assert len(finished(first.trials())) == 4
    assert keeper(journal, wanted=6).claim() is not None


def test_two_that_ask_at_the_same_moment_keep_the_lower_number(journal, monkeypatch):
    """Both saw room for one more: the second one's trial is withdrawn, and not run again."""
    first, second = keeper(journal, wanted=1), keeper(journal, wanted=1)
    before = second.trials()
    assert first.claim().number == 0
    real, calls = second.trials, []
    monkeypatch.setattr(second, "trials", lambda: calls.append(0) or (before if len(calls) == 1 else real()))
    assert second.claim() is None
    states = [(t.state, "withdrawn" in t.user_attrs) for t in real()]
    assert states == [(TrialState.RUNNING, False), (TrialState.FAIL, True)]
    assert second.recover() == 0


def test_a_dead_process_trial_is_run_again_once_with_its_parameters(journal):
    gone = keeper(journal, dead_process())
    lost_values = draw(gone.claim())
    first, second = keeper(journal), keeper(journal)
    assert first.recover() == 1
    assert second.recover() == 0
    trials = first.trials()
    assert [t.state for t in trials] == [TrialState.FAIL, TrialState.WAITING]
    again = first.claim()
    assert draw(again) == lost_values
    assert again.user_attrs["retry_of"] == 0
    assert second.claim().number == 2


def test_a_kill_between_failing_and_queueing_loses_nothing(journal):
    gone = keeper(journal, dead_process())
    trial = gone.claim()
    values = draw(trial)
    gone.study.tell(trial, state=TrialState.FAIL)
    mine = keeper(journal)
    assert mine.recover() == 1
    assert draw(mine.claim()) == values


def test_of_two_successors_one_counts(journal):
    gone = keeper(journal, dead_process(), wanted=2)
    draw(gone.claim())
    mine = keeper(journal, wanted=2)
    mine.recover()
    failed = mine.trials()[0]
    mine.study.enqueue_trial(
        failed.params, user_attrs={"retry_of": 0}
    )  # as another process at the same moment
    numbers = [mine.claim().number, mine.claim().number]
    assert numbers == [1, 3]
    assert "withdrawn" in mine.trials()[2].user_attrs


def test_living_trials_are_left_alone_and_an_error_is_not_run_again(journal):
    mine, other = keeper(journal), keeper(journal)
    running, wrong = mine.claim(), mine.claim()
    draw(running)
    draw(wrong)
    mine.give_up(wrong, "RuntimeError: no candles")
    assert other.recover() == 0
    assert [t.state for t in mine.trials()] == [TrialState.RUNNING, TrialState.FAIL]
    assert other.claim().number == 2


def test_a_trial_that_nobody_wrote_himself_into_is_given_up_after_a_while(journal, monkeypatch):
    mine = keeper(journal)
    mine.study.ask()
    mine.recover()
    assert mine.trials()[0].state == TrialState.RUNNING
    monkeypatch.setattr("coordinator.jobs.optimize.study.UNOWNED_SECONDS", -1.0)
    assert mine.recover() == 0  # it had no parameters yet: nothing is lost
    assert mine.trials()[0].state == TrialState.FAIL
    again = mine.claim()
    assert (again.number, "retry_of" in again.user_attrs) == (1, False)


def test_life_is_told_by_the_process_here_and_by_its_sign_elsewhere():
    assert this_process().lives({})
    assert not dead_process().lives({})
    assert not Owner(socket.gethostname(), os.getpid(), 1.0).lives({})  # an id used again
    away = Owner("elsewhere", 1, 5.0)
    assert away.lives({away.key: time.time() - 60})
    assert not away.lives({away.key: time.time() - 600})
    assert not away.lives({})


def test_a_half_written_line_is_cut_off(journal):
    """What a killed writer left is gone, and what is written next can be read."""
    first = join(journal)
    for _ in range(3):
        first.tell(first.ask(), 1.0)
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"x","trial')
    second = join(journal)
    second.tell(second.ask(), 2.0)
    assert [t.value for t in join(journal).trials] == [1.0, 1.0, 1.0, 2.0]
    assert [t.value for t in first.trials] == [1.0, 1.0, 1.0, 2.0]


def test_proposals_depend_on_the_seed_the_number_and_the_past_alone(tmp_path):
    def proposals(name, seed, restart_after=None, best=0.3):
        path = tmp_path / f"{name}.journal"
        study, found = join(path, seed=seed), []
        for number in range(14):
            if number == restart_after:
                study = join(path, seed=seed)
            trial = study.ask()
            found.append(draw(trial))
            study.tell(trial, -((found[-1][0] - best) ** 2))
        return found

    whole = proposals("whole", 1)
    assert proposals("restarted", 1, restart_after=7) == whole
    assert proposals("restarted late", 1, restart_after=12) == whole
    assert proposals("other", 2) != whole
    assert len(set(whole)) == 14
    elsewhere = proposals("elsewhere", 1, best=0.9)
    assert [one == two for one, two in zip(whole, elsewhere, strict=True)][:11] == [True] * 10 + [False]
    xs = [x for x, _ in whole[:10]]
    assert max(xs) - min(xs) > 0.4


def test_after_ten_random_trials_it_looks_where_it_was_good():
    """TPE. At random the distance from .3 is .29 on average, give or take .014 in so many trials."""
    away = []
    for seed in range(10):
        study = optuna.create_study(sampler=NumberedSampler(seed), direction="maximize")
        for _ in range(40):
            trial = study.ask()
            study.tell(trial, -((draw(trial)[0] - 0.3) ** 2))
        away += [abs(trial.params["x"] - 0.3) for trial in study.trials[20:]]
    assert np.mean(away) < 0.24


@pytest.mark.parametrize("url", ["postgresql://u:secret@127.0.0.1:1/none", "nothing://x", "no url"])
def test_a_storage_that_cannot_be_used_is_named_without_its_password(url, journal):
    with pytest.raises(CoordinatorError, match="--storage") as found:
        open_storage(url, journal)
    assert "secret" not in str(found.value)


def test_a_journal_that_is_none_is_named(tmp_path):
    path = tmp_path / "j"
    path.write_text("hello\nworld\n")
    with pytest.raises(CoordinatorError, match="readable journal"):
        open_storage(None, path)


def test_optuna_keeps_quiet(journal, capfd):
    join(journal)
    optuna.logging.get_logger("optuna.study").info("Trial 0 finished")
    assert capfd.readouterr().err == ""
