"""The whole command on the tiny market: what it prints, writes, continues and refuses."""

import json
import re

import pytest
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.errors import CoordinatorError
from coordinator.jobs import run_plan
from coordinator.settings import load_settings


@pytest.fixture(scope="module")
def finished_run(start_command, tmp_path_factory):
    """(what was printed, user_data) of a search of one worker."""
    user_data = tmp_path_factory.mktemp("finished")
    child = start_command(user_data, "--quick", "--trials", "4", "--workers", "1")
    out, error = child.communicate(timeout=120)
    assert child.returncode == 0, error
    return out, user_data


def files(user_data):
    folder = user_data / "optimize"
    (config,) = folder.glob("strategy_opt_*_config.json")
    stem = config.name.removesuffix("_config.json")
    assert re.fullmatch(r"strategy_opt_\d{8}_\d{6}", stem)
    return folder / f"{stem}.json", config, folder / f"{stem}.html"


def test_it_prints_what_came_of_it(finished_run):
    out, _ = finished_run
    for words in (
        "4 trials in", "an hour with 1 workers", "stops.atr_multiple", "optimized", "validation", "holdout",
        "Parameter importance (fANOVA)", "Probability of backtest overfitting", "Deflated Sharpe ratio",
        "looked at for the first time", "WARNING: the winner opened", "max_positions changes nothing above 2",
    ):  # fmt: skip
        assert words in out, words


def test_the_config_holds_the_tuned_keys_alone_and_freqtrade_loads_it(finished_run, config_file, tmp_path):
    document_path, config_path, _ = files(finished_run[1])
    tuned = json.loads(config_path.read_text())
    values = json.loads(document_path.read_text())["best"]["values"]
    flat = {
        f"{section}.{key}": v for section, keys in tuned["coordinator"].items() for key, v in keys.items()
    }
    assert list(tuned) == ["coordinator"] and flat == values and len(flat) == 7
    arguments = {"config": [str(config_file), str(config_path)], "user_data_dir": str(tmp_path)}
    loaded = Configuration(arguments, RunMode.OTHER).get_config()
    settings = load_settings(loaded["coordinator"])
    assert settings.stops.atr_multiple == values["stops.atr_multiple"]
    own = load_settings(json.loads(config_file.read_text())["coordinator"])
    assert settings.exits == own.exits and settings.baseline.clock == own.baseline.clock


def test_the_document_has_every_trial_with_its_figures_and_returns(finished_run):
    document = json.loads(files(finished_run[1])[0].read_text())
    trials = document["trials"]
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3]
    best = max(trials, key=lambda trial: trial["value"])
    assert document["best"]["trial"] == best["number"] and document["best"]["values"] == best["values"]
    shown = [{name: fold[name] for name in fold if name != "returns"} for fold in best["folds"]]
    assert document["best"]["folds"] == shown != document["own"]["folds"]
    for trial in trials:
        assert len(trial["folds"]) == 2
        for fold in trial["folds"]:
            assert set(fold["train"]) == set(fold["validation"])
            assert 0 < fold["validation_days"] < len(fold["returns"])
    assert document["holdout_figures"]["best"]["trades"] >= 0
    assert 0 <= document["overfitting"]["pbo"] <= 1
    assert sum(document["importance"].values()) == pytest.approx(1)
    assert document["speed"]["trials"] == 4 and document["speed"]["trials_per_hour"] > 0


def test_the_page_works_offline(finished_run):
    page = files(finished_run[1])[2].read_text()
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    for name in ("history", "importance", "parallel", "slice", "edf"):
        assert f'data-figure="{name}"' in page
    figures = json.loads(
        re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.S)[1]
    )
    assert set(figures) == {"history", "importance", "parallel", "slice", "edf"}
    assert len(figures["slice"]["data"]) == 7
    assert len(figures["history"]["data"][0]["x"]) == 4
    assert "prefers-color-scheme: dark" in page and "stops.atr_multiple" in page


def test_the_same_command_goes_on_and_looks_at_the_holdout_no_second_time(finished_run, start_command):
    _, user_data = finished_run
    before = json.loads(files(user_data)[0].read_text())
    child = start_command(user_data, "--quick", "--trials", "4", "--workers", "1", "--json")
    out, error = child.communicate(timeout=120)
    assert child.returncode == 0, error
    document = json.loads(out)
    assert "4 trials were finished before" in error
    assert document["speed"]["trials"] == 0
    assert document["trials"] == before["trials"]
    assert document["holdout_figures"] == {**before["holdout_figures"], "looked_at_before": True}
    assert document["own"] == before["own"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--objective", "omega"], "'--objective' .* be one of sharpe"),
        (["--strategy", "Mine"], "'--strategy' .* be MLCoordinator or TechnicalBaseline"),
        (["--trials", "0"], "'--trials' .* be 1 or more. Got 0"),
        (
            ["--parameter", "stops.atr_multiple=1:9"],
            "'stops.atr_multiple' .* greater than or equal to 1.5. Got 1.0",
        ),
        (["--timerange", "20220801-20220901"], "'--timerange' .* days or longer"),
        (["--storage", "nothing://x"], "'--storage'"),
        (["--scheduler", "tcp://127.0.0.1:1"], "'--scheduler' .* address of a dask scheduler"),
    ],
)
def test_a_mistake_is_one_error_that_names_it(
    arguments, words, tiny_market, config_file, tmp_path, monkeypatch
):
    monkeypatch.setattr("coordinator.jobs.cluster.CONNECT_SECONDS", 1)
    command = ["optimize", "--config", str(config_file), "--datadir", str(tiny_market)]
    done = CliRunner().invoke(app, [*command, "--user-data", str(tmp_path), *arguments])
    assert isinstance(done.exception, CoordinatorError)
    assert re.search(words, str(done.exception))


def test_a_study_of_another_question_is_refused_with_exit_code_2(finished_run, start_command):
    _, user_data = finished_run
    (journal,) = (user_data / "optimize").glob("*.journal")
    child = start_command(user_data, "--quick", "--objective", "calmar", "--study", journal.stem)
    _, error = child.communicate(timeout=60)
    assert child.returncode == 2
    *_, last = error.splitlines()  # before it: which pairs of the whitelist have no candles
    assert re.fullmatch(r"error: The '--study' of .* another --study. Got '\"sharpe\"' instead\.", last)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], (50, 3, 730, 205)),
        (["--quick"], (5, 2, 365, 205)),
        (["--quick", "--trials", "9", "--folds", "1"], (9, 1, 365, 205)),
        (["--timerange", "20220801-20230101"], (50, 3, 730, 153)),
    ],
)
def test_how_much_is_run_by_default_and_quickly(
    arguments, expected, tiny_market, config_file, tmp_path, monkeypatch
):
    """Trials, folds, and how many days back at most: of this market's 205 that is all of them."""
    asked, planned, plan_run = [], [], run_plan.plan_run

    def plan(*arguments, **named):
        planned.append(named["most_days"])
        return plan_run(*arguments, **named)

    def note(problem, options, user_data, console):
        days = (problem.plan.end - problem.plan.start).days
        asked.append((options.trials, len(problem.periods.folds), *planned, days))

    monkeypatch.setattr(run_plan, "plan_run", plan)

    monkeypatch.setattr("coordinator.jobs.optimize.run.optimize_settings", note)
    command = ["optimize", "--config", str(config_file), "--datadir", str(tiny_market)]
    done = CliRunner().invoke(app, [*command, "--user-data", str(tmp_path), *arguments])
    assert done.exception is None
    assert asked == [expected]
