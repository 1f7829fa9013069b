"""What is said about luck, on made-up trials; and an existing dask cluster."""

import math

import numpy as np
import optuna
import pytest
from distributed import LocalCluster

from coordinator.errors import CoordinatorError
from coordinator.jobs.cluster import connect_workers
from coordinator.jobs.optimize.figures import Figures
from coordinator.jobs.optimize.luck import judge_luck, returns_of
from coordinator.jobs.optimize.table import importance_lines
from coordinator.reports.deflated_sharpe import expected_best
from coordinator.reports.overfitting import Overfitting, backtest_overfitting


def figures(sharpe, trades=30):
    return Figures(sharpe, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, trades)


def trial(number, returns, trades=30):
    """Two folds of the returns, of each of which the last third is validation."""
    folds = [
        {
            "returns": [float(r) for r in part],
            "validation_days": len(part) // 3,
            "validation": figures(1.0, trades).as_json(),
        }
        for part in np.split(returns, 2)
    ]
    made = optuna.trial.create_trial(value=float(returns.mean()), user_attrs={"folds": folds})
    made.number = number
    return made


def trials(edge, count=30, days=360, seed=0, trades=30):
    rng = np.random.default_rng(seed)
    skill = np.linspace(0, edge, count)
    return [trial(i, rng.normal(skill[i], 0.01, days), trades) for i in range(count)]


def judge(made, holdout=2.0, own=1.0, tried=40):
    best = max(made, key=lambda t: t.value)
    return judge_luck(made, best, tried, figures(holdout), figures(own), "sharpe")


def test_real_skill_gets_no_warning():
    luck = judge(trials(0.006))
    assert luck.warnings == ()
    assert luck.overfitting.probability < 0.05
    assert luck.deflated_sharpe > 0.95


def test_noise_is_called_luck():
    luck = judge(trials(0.0), holdout=0.5, own=0.9)
    said = " ".join(luck.warnings)
    assert "deflated Sharpe ratio: the chance that the winner is more than the best of 40 lucky ones" in said
    assert "on the holdout the winner's Sharpe is 0.50, below the 0.90 of the config's own settings" in said
    assert luck.deflated_sharpe < 0.95


def test_each_statistic_is_of_its_days():
    made = trials(0.002)
    luck = judge(made)
    everything = np.column_stack([returns_of(t) for t in made])
    assert everything.shape == (360, 30)
    assert luck.overfitting.probability == backtest_overfitting(everything).probability
    validation = np.column_stack([returns_of(t, validation=True) for t in made])
    assert validation.shape == (120, 30)
    np.testing.assert_array_equal(validation[:60], everything[120:180])
    ratios = validation.mean(axis=0) / validation.std(axis=0, ddof=1) * math.sqrt(365)
    assert luck.spread == pytest.approx(ratios.std(ddof=1))
    assert luck.trials == 40


def test_more_trials_make_it_less_sure():
    made = trials(0.002)
    assert judge(made, tried=400).deflated_sharpe < judge(made, tried=40).deflated_sharpe
    assert expected_best(400, 1.0) > expected_best(40, 1.0)


def test_few_trades_and_a_bad_probability_are_said():
    made = trials(0.006, trades=3)
    assert judge(made).warnings[0].startswith("the winner opened 6 trades on the validation days")
    rng = np.random.default_rng(1)
    turning = []
    for i in range(16):
        returns = rng.normal(0, 0.01, 320)
        returns[i * 20 : i * 20 + 20] += 0.05
        turning.append(trial(i, returns))
    assert any("no better than picking any" in text for text in judge(turning).warnings)


@pytest.mark.parametrize(
    ("pbo", "deflated", "trades", "said"),
    [
        (0.5, 0.95, 10, []),
        (0.51, 0.95, 10, ["probability of backtest overfitting 51%"]),
        (0.5, 0.94, 10, ["deflated Sharpe ratio"]),
        (0.5, 0.95, 9, ["the winner opened 18 trades"]),
    ],
)
def test_the_bars_of_the_warnings(monkeypatch, pbo, deflated, trades, said):
    """Worse than picking any, less than 95 % sure, fewer than twenty trades in two folds."""
    found = Overfitting(pbo, 0.0, np.zeros(1), 16, 360, 3)
    monkeypatch.setattr("coordinator.jobs.optimize.luck.backtest_overfitting", lambda returns: found)
    monkeypatch.setattr("coordinator.jobs.optimize.luck.deflated_sharpe", lambda *_: deflated)
    warnings = judge(trials(0.002, count=3, trades=trades)).warnings
    assert len(warnings) == len(said)
    assert all(text.startswith(start) for text, start in zip(warnings, said, strict=True))


def test_a_single_trial_cannot_be_judged():
    luck = judge(trials(0.002, count=1), tried=1)
    assert math.isnan(luck.overfitting.probability)
    assert luck.spread == 0


def test_importance_is_a_bar_chart():
    lines = importance_lines({"baseline.exit_ma": 0.826, "stops.atr_multiple": 0.174})
    assert lines[1] == f"  baseline.exit_ma     82.6%  {'█' * 25}"
    assert lines[2] == f"  stops.atr_multiple   17.4%  {'█' * 5}"
    assert "do not differ" in importance_lines({})[0]


def local_cluster(workers):
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=False,
        host="127.0.0.1",
        protocol="tcp://",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    )


def test_an_existing_cluster_is_used():
    with (
        local_cluster(2) as cluster,
        connect_workers(7, cluster.scheduler_address, "coordinator optimize") as (client, width),
    ):
        assert width == 2
        assert client.submit(sum, [1, 2]).result() == 3


def test_a_cluster_without_workers_is_refused():
    refused = pytest.raises(CoordinatorError, match=r"'--scheduler' .* must have workers")
    with (
        local_cluster(0) as cluster,
        refused,
        connect_workers(1, cluster.scheduler_address, "coordinator optimize"),
    ):
        pass
