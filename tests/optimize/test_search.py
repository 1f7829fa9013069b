"""The search itself on made-up backtests: pruning, refusals, errors; the real journal and dask."""

import numpy as np
import pytest
from optuna.trial import TrialState

import coordinator.jobs.optimize.search as search_module
from coordinator.jobs.optimize.owners import this_process
from coordinator.jobs.optimize.search import OptimizeError, Search
from coordinator.jobs.optimize.storage import open_storage
from coordinator.jobs.optimize.study import StudyKeeper, finished, join_study
from tests.optimize.made_up import client, made_up, problem


@pytest.fixture(scope="module")
def workers():
    with client() as made:
        yield made


@pytest.fixture
def keeper(tmp_path, monkeypatch):
    monkeypatch.setattr(search_module, "evaluate", made_up)
    study = join_study(open_storage(None, tmp_path / "s.journal"), "s", {}, 0)
    return StudyKeeper(study, this_process(), 30, 4)


def test_a_value_is_the_mean_of_the_validation_figures_and_hopeless_trials_stop_early(keeper, workers):
    steps = []
    Search(keeper, problem(), workers, 2, steps.append).run(30)
    trials = keeper.trials()
    assert len(finished(trials)) == 30
    assert steps == sorted(steps) and steps[-1] == 30
    pruned = [t for t in trials if t.state == TrialState.PRUNED]
    complete = [t for t in trials if t.state == TrialState.COMPLETE]
    assert 0 < len(pruned) < 15
    assert min(t.number for t in pruned) >= 8
    for trial in pruned:
        assert len(trial.user_attrs["folds"]) == 1
    for trial in complete:
        folds = trial.user_attrs["folds"]
        assert trial.value == pytest.approx(np.mean([fold["validation"]["sharpe"] for fold in folds]))
        assert folds[0]["train"]["sharpe"] is None and folds[0]["train"]["profit_factor"] == "inf"
    threshold = np.quantile([t.value for t in complete], 0.5)
    assert all(t.value < threshold for t in pruned)
    # TPE has found where it is better.
    late = [abs(t.params["stops.atr_multiple"] - 3) for t in complete[-8:]]
    early = [abs(t.params["stops.atr_multiple"] - 3) for t in complete[:8]]
    assert np.mean(late) < np.mean(early)


def test_settings_that_forbid_a_combination_are_tried_and_hopeless(keeper, workers):
    what = problem()
    # An exit channel must be shorter than the fast one.
    what.section = lambda values: {
        "baseline": {"exit_channel": 25 if values["stops.atr_multiple"] > 2.5 else 10}
    }
    Search(keeper, what, workers, 2).run(30)
    refused = [t for t in keeper.trials() if "refused" in t.user_attrs]
    assert refused
    assert all(t.state == TrialState.PRUNED and t.params["stops.atr_multiple"] > 2.5 for t in refused)
    assert all("exit_channel" in t.user_attrs["refused"] for t in refused)
    assert len(finished(keeper.trials())) == 30


def test_a_backtest_that_fails_ends_the_search_and_the_others_are_run_again(keeper, workers, monkeypatch):
    def failing(job):
        if job[1] == 1:
            raise ValueError("no candles")
        return made_up(job)

    monkeypatch.setattr(search_module, "evaluate", failing)
    with pytest.raises(OptimizeError, match="no candles"):
        Search(keeper, problem(), workers, 3).run(30)
    trials = keeper.trials()
    assert {t.state for t in trials} == {TrialState.FAIL}
    wrong = [t for t in trials if "error" in t.user_attrs]
    assert [t.user_attrs["error"] for t in wrong] == ["ValueError: no candles"]
    monkeypatch.setattr(search_module, "evaluate", made_up)
    Search(keeper, problem(), workers, 3).run(30)
    again = {t.user_attrs["retry_of"] for t in keeper.trials() if "retry_of" in t.user_attrs}
    assert again == {t.number for t in trials} - {wrong[0].number}
    assert len(finished(keeper.trials())) == 30
