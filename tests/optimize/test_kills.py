"""A search killed with kill -9 again and again goes on, and in the end everything is there once."""

import random
import time

import optuna
from optuna.trial import TrialState

from coordinator.jobs.optimize.sampler import RANDOM_TRIALS
from coordinator.jobs.optimize.storage import open_storage

TRIALS, KILLS = 40, 3


def check_whole(study, trials):
    """Enough trials, no more, none twice, none lost."""
    tried = [t for t in study.trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(tried) == trials
    assert all(t.user_attrs["folds"] for t in tried)
    run_again = [t for t in study.trials if "retry_of" in t.user_attrs and "withdrawn" not in t.user_attrs]
    successors = [t.user_attrs["retry_of"] for t in run_again]
    assert len(successors) == len(set(successors))
    failed = [t for t in study.trials if t.state == TrialState.FAIL and "withdrawn" not in t.user_attrs]
    for trial in failed:
        if len(trial.params) == 4:
            (again,) = (t for t in run_again if t.user_attrs["retry_of"] == trial.number)
            assert again.params == trial.params
    assert {t.state for t in study.trials} <= {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL}
    # TPE may come back to a point of the grid; what is drawn before it has learnt anything does not.
    drawn = [tuple(sorted(t.params.items())) for t in tried if t.number < RANDOM_TRIALS]
    assert len(set(drawn)) == len(drawn)
    return failed


def test_a_search_that_is_killed_at_random_points_loses_and_doubles_nothing(tmp_path, start_made_up):
    journal, rng, killed = tmp_path / "s.journal", random.Random(5), 0
    broken_off = False
    for _ in range(3 * KILLS):
        (search,) = start_made_up(journal, trials=TRIALS)
        time.sleep(rng.uniform(0.03, 0.2))
        killed += search.kill()
        before = optuna.load_study(study_name="s", storage=open_storage(None, journal)).trials
        broken_off = any(trial.state == TrialState.RUNNING for trial in before)
        if killed >= KILLS and broken_off:  # on a slow machine a kill may come before any trial has begun
            break
    assert killed >= KILLS
    assert broken_off
    (search,) = start_made_up(journal, trials=TRIALS)
    search.end()
    study = optuna.load_study(study_name="s", storage=open_storage(None, journal))
    assert check_whole(study, TRIALS)
    kept = {t.number: t.value for t in before if t.state == TrialState.COMPLETE}
    assert {number: study.trials[number].value for number in kept} == kept
