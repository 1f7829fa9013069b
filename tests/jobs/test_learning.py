"""A cycle does what is due, promotes what is better, finds a planted shift, and answers as cron wants it."""

import json
import shlex

import numpy as np
import pytest
from filelock import FileLock
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.errors import CoordinatorError
from coordinator.jobs.learning.schedule import cron_line, systemd_units
from coordinator.jobs.quality.train import train_walk_forward
from coordinator.learning import retraining
from coordinator.learning.promotion import Verdict
from coordinator.ledger.learning_events import learning_events
from coordinator.ledger.registry import ModelRegistry
from tests.jobs.conftest import DAY, FIRST

RUNNER = CliRunner()


def run(world, *arguments):
    """Exit code and output of a learning command, errors as the command line ends with them."""
    done = RUNNER.invoke(
        app, ["learning", *arguments, "-c", str(world.config_path), "--user-data", str(world.folder)]
    )
    if isinstance(done.exception, CoordinatorError):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture
def trained(make_world):
    world = make_world()
    world.collect(0, 500)
    train_walk_forward(world.context, "1d", FIRST + 500 * DAY)
    return world


def test_nothing_is_due_before_a_week_of_candles_has_passed(trained):
    assert run(trained, "cycle")[0] == 1
    trained.collect(500, 5)
    code, said = run(trained, "cycle")
    assert code == 1
    assert "due again on 2021-05-22" in said
    trained.collect(505, 4)
    status = json.loads(run(trained, "status", "--json")[1])[0]
    # A run's last five days of two pairs are unresolved, of the one of five days all.
    assert (status["due"], status["samples"], status["resolved"]) == (True, 1018, 990)
    before = len(ModelRegistry(trained.ledger).models())
    code, said = run(trained, "cycle", "--json")
    assert code == 0
    assert json.loads(said)[0]["trigger"] == "due"
    assert len(ModelRegistry(trained.ledger).models()) == before + 1
    assert run(trained, "cycle")[0] == 1


def test_force_trains_whatever_the_age_but_not_twice_on_the_same(trained):
    trained.collect(500, 3)
    assert run(trained, "retrain")[0] == 1
    assert run(trained, "retrain", "--force")[0] == 0
    code, said = run(trained, "retrain", "--force")
    assert (code, "no sample is newer" in said) == (1, True)


def test_only_a_better_model_is_promoted(trained):
    registry = ModelRegistry(trained.ledger)
    champion = registry.succession("signal_quality").last
    trained.collect(500, 70, edge=-1.0)  # what was learnt is wrong now, for old and new alike
    assert run(trained, "retrain")[0] == 0
    newest = registry.models("signal_quality")[-1]
    assert newest.info.metrics["trained_at"] > champion.info.metrics["trained_at"]
    assert newest.status == "retired"
    assert registry.succession("signal_quality").last.id == champion.id
    assert "kept current model" in newest.verdict


def test_a_planted_shift_is_found_and_has_the_model_trained(trained):
    trained.configure(continuous_learning={"retrain_days": 365})
    assert run(trained, "check-drift")[0] == 1
    trained.collect(500, 60, shift=2.0)
    code, said = run(trained, "check-drift", "--json")
    assert code == 0
    found = json.loads(said)[0]["drift"]
    assert found["features_drifted"]
    assert found["share"] > 0.5
    code, said = run(trained, "cycle", "--json")
    assert (code, json.loads(said)[0]["trigger"]) == (0, "drift")


def test_a_rollback_holds_from_the_newest_sample_on_and_earlier_answers_stay(trained):
    registry = ModelRegistry(trained.ledger)
    times = [FIRST + day * DAY for day in range(0, 500, 7)]
    before = [registry.champion("signal_quality", time) for time in times]
    last = registry.succession("signal_quality").last
    code, said = run(trained, "rollback", "--json")
    assert code == 0
    now = registry.succession("signal_quality").last
    assert now.id != last.id
    assert json.loads(said)[0]["trigger"] == "rollback"
    after = [registry.champion("signal_quality", time) for time in times]
    assert [m and m.id for m in after] == [m and m.id for m in before]
    assert registry.champion("signal_quality", FIRST + 600 * DAY).id == now.id


def test_history_and_status_tell_everything(trained):
    trained.collect(500, 60, shift=2.0)
    run(trained, "cycle")
    run(trained, "rollback")
    code, said = run(trained, "history", "--json")
    events = json.loads(said)
    assert code == 0
    assert {event["kind"] for event in events} == {"trained", "drift", "rollback"}
    everything = learning_events(trained.ledger, "signal_quality")
    assert [event["sentence"] for event in events] == [one.sentence for one in everything]
    assert {event["trigger"] for event in events} == {"walk-forward", "drift", ""}
    code, said = run(trained, "status", "--json")
    status = json.loads(said)[0]
    assert code == 1
    assert status["champion"] == ModelRegistry(trained.ledger).succession("signal_quality").last.id
    assert (status["samples"], status["due"], status["problem"]) == (1120, False, "")
    assert run(trained, "status")[0] == 1


def test_without_samples_every_command_says_what_to_type(make_world):
    world = make_world()
    code, said = run(world, "status", "--json")
    assert (code, "coordinator quality accumulate" in json.loads(said)[0]["problem"]) == (1, True)
    for command in ("check-drift", "retrain", "cycle", "rollback"):
        code, said = run(world, command)
        assert (code, "coordinator quality" in said) == (2, True), command
    world.collect(0, 100)
    code, said = run(world, "check-drift")
    assert (code, "train one with `coordinator quality train`" in said) == (2, True)
    assert run(world, "history") == (1, "nothing yet\n")


def test_two_trainings_do_not_run_at_once(trained):
    with FileLock(trained.folder / "coordinator-learning.lock"):
        code, said = run(trained, "cycle")
    assert (code, "another process trains" in said) == (2, True)
    assert run(trained, "cycle")[0] == 1


def test_a_changed_model_file_is_refused_and_a_moved_one_found(trained):
    models = trained.context.trainer("1d").models
    model = models.succession().last
    path = trained.context.model_folder / model.info.file.rpartition("/")[2]
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    with pytest.raises(CoordinatorError, match="be as it was registered"):
        trained.context.trainer("1d").models.load(model)
    path.write_bytes(content)
    moved = trained.folder.rename(trained.folder.with_name("elsewhere"))
    trained.folder = moved
    assert (
        trained.context.trainer("1d")
        .models.load(model)
        .predict_proba(np.zeros((1, len(model.info.features.names))))
    )
    (moved / "models" / "coordinator-quality" / path.name).unlink()
    with pytest.raises(CoordinatorError, match="learning retrain --force"):
        trained.context.trainer("1d").models.load(model)


def test_the_schedule_is_as_often_as_the_config_says(tmp_path):
    assert cron_line(7, tmp_path, ["--config", "a b.json"]).startswith(f"0 0 * * 0 cd {tmp_path} && ")
    assert "learning cycle --config 'a b.json' >> " in cron_line(1, tmp_path, ["--config", "a b.json"])
    assert cron_line(3, tmp_path, []).startswith("0 0 */3 * * ")
    units = systemd_units(7, tmp_path, [])
    assert "SuccessExitStatus=1" in units["coordinator-learning.service"]
    assert "OnCalendar=Sun *-*-* 00:00:00" in units["coordinator-learning.timer"]


def test_the_printed_schedule_names_the_configs_and_never_a_password(make_world, monkeypatch):
    world = make_world()
    more = world.folder / "my best.json"
    more.write_text("{}")
    code, said = run(world, "schedule", "-c", str(more), "--ledger", "bot.sqlite", "--json")
    found = json.loads(said)
    service = found["systemd"]["coordinator-learning.service"]
    wanted = f"--config {world.config_path} --config '{more}' --user-data {world.folder} --ledger bot.sqlite"
    assert code == 0
    for text in (found["cron"], service):
        words = shlex.split(text.split("learning cycle ")[1].split(" >> ")[0].split("\n")[0])
        assert sorted(words) == sorted(shlex.split(wanted))
        assert ".env" not in text
    url = "postgresql+psycopg://me:Sup3r@127.0.0.1:1/ledger"
    code, said = run(world, "schedule", "--ledger", url)
    assert (code, "Sup3r" in said, "--ledger" in said) == (0, False, False)
    assert "&& set -a && . ./.env && " in said
    assert "\nEnvironmentFile=" in said
    assert "put COORDINATOR_LEDGER_URL='...' into " in said
    monkeypatch.setenv("COORDINATOR_LEDGER_URL", url)  # a bot's, which cron does not have
    assert ". ./.env && " in json.loads(run(world, "schedule", "--json")[1])["cron"]
    assert cron_line(7, world.folder, ["--ledger", "a%b"]).endswith(
        r"a\%b >> " + f"{world.folder}/user_data/logs/learning.log 2>&1"
    )


def test_where_no_model_was_good_enough_it_is_said(make_world, monkeypatch):
    world = make_world()
    world.collect(0, 300)
    failed = Verdict(False, "no model: not better", 0.4, float("nan"), 0.7, 0.6)
    monkeypatch.setattr(retraining, "judge", lambda *a: failed)
    train_walk_forward(world.context, "1d")
    code, said = run(world, "check-drift")
    assert (code, "none was good enough" in said, "learning history" in said) == (1, True, True)
    words = ["quality", "evaluate", "-c", str(world.config_path), "--user-data", str(world.folder)]
    done = RUNNER.invoke(app, words)
    assert (done.exit_code, "none was good enough" in done.output) == (1, True)
    assert run(world, "cycle")[0] == 0  # the holdout's samples are new: it trains
