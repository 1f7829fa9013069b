"""Collected samples are each learnt from once, by models that had not seen what they judge."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from coordinator.cli import app
from coordinator.components.samples import SIGNAL_SECTIONS, read_samples
from coordinator.errors import CoordinatorError
from coordinator.jobs.quality.accumulate import _prefix
from coordinator.jobs.quality.evaluate import evaluate
from coordinator.jobs.quality.train import train_walk_forward
from coordinator.ledger.registry import ModelRegistry
from coordinator.settings import load_settings
from tests.jobs.conftest import DAY, FIRST, HOUR


@pytest.mark.parametrize("runs", [(0, 60), (60, 0)])
@pytest.mark.parametrize("samples", ["signals", "panel"])
def test_each_sample_counts_once_a_resolved_one_first(make_world, samples, runs):
    world = make_world(samples)
    for first_day in runs:
        world.collect(first_day, 100)  # the last five days of the one are resolved in the other
    found = read_samples(world.ledger, world.context.settings, "1d")
    assert len(found.rows) == len(found.signals) == 320
    keys = list(zip(found.signals.time.tolist(), found.signals.pair.tolist(), strict=True))
    assert keys == sorted(set(keys))
    unresolved = found.rows.outcome_time < 0
    assert int(unresolved.sum()) == 10
    assert found.rows.time[unresolved].min() > FIRST + 154 * DAY
    assert found.left_out == 0
    assert found.signals.taken.tolist() == [True, False] * 160


OTHER = (
    {"baseline": {"clock": "1d", "trend_ma": 100}},
    {"regime": {"gate": "on"}},
    {"stops": {"atr_multiple": 3.0}},
    {"targets": {"horizon": 11}},
    {"costs": {"slippage": 0.002}},
    {"exits": {"channel": True}},
)


@pytest.mark.parametrize("section", OTHER, ids=lambda section: next(iter(section)))
def test_signals_of_other_settings_are_left_out(make_world, section):
    world = make_world()
    world.collect(0, 100)
    world.configure(**section)
    world.collect(100, 50)
    found = read_samples(world.ledger, world.context.settings, "1d")
    assert (len(found.signals), found.left_out) == (100, 200)
    assert {*(name for one in OTHER for name in one), "clocks"} == set(SIGNAL_SECTIONS)


def test_a_signal_sees_the_panel_as_known_at_its_close(make_world):
    world = make_world("panel")
    world.collect(0, 30)
    found = read_samples(world.ledger, world.context.settings, "1d")
    by_key = {
        (time, pair): x
        for time, pair, x in zip(
            found.rows.time.tolist(),
            np.resize(["BTC/USDT", "ETH/USDT"], 60).tolist(),
            found.rows.x,
            strict=True,
        )
    }
    for time, pair, x in zip(
        found.signals.time.tolist(), found.signals.pair.tolist(), found.signals.x, strict=True
    ):
        np.testing.assert_array_equal(x, by_key[time - 6 * HOUR, pair])


@pytest.mark.parametrize("samples", ["signals", "panel"])
def test_a_model_a_fold_none_of_which_has_seen_what_it_speaks_for(make_world, samples):
    world = make_world(samples)
    world.collect(0, 700)
    until = FIRST + 560 * DAY
    found = train_walk_forward(world.context, "1d", until)
    models = ModelRegistry(world.ledger).models("signal_quality")
    assert len(models) == len(found.folds) == 8
    assert found.folds[-1].at == until
    succession = ModelRegistry(world.ledger).succession("signal_quality")
    rows = read_samples(world.ledger, world.context.settings, "1d").rows
    for time in rows.time[::50].tolist():
        model = succession.at(time)
        if model is not None:
            learnt = rows.time <= model.info.trained_until
            assert rows.outcome_time[learnt].max() < time
    assert succession.last.info.metrics["auc"] > 0.6
    assert train_walk_forward(world.context, "1d").folds == []  # the holdout stays where it was


class StopError(Exception):
    pass


def test_an_interrupted_training_goes_on_where_it_stopped(make_world):
    worlds = [make_world("signals"), make_world("panel")]
    worlds[1].samples = "signals"
    worlds[1].configure()
    for world in worlds:
        world.collect(0, 500)
    whole = train_walk_forward(worlds[0].context, "1d")

    def stop(number, count, trained):
        if number == 3:
            raise StopError

    with pytest.raises(StopError):
        train_walk_forward(worlds[1].context, "1d", on_fold=stop)
    rest = train_walk_forward(worlds[1].context, "1d")
    assert rest.before >= 3
    one, two = (ModelRegistry(world.ledger).models() for world in worlds)
    assert [(m.info.file_hash, m.status, m.verdict) for m in one] == [
        (m.info.file_hash, m.status, m.verdict) for m in two
    ]
    assert len(rest.folds) + 3 >= len(whole.folds) > 3


def test_too_few_samples_say_what_to_do(make_world):
    world = make_world()
    with pytest.raises(CoordinatorError, match=r"coordinator quality accumulate.*no ledger yet"):
        train_walk_forward(world.context, "1d")
    world.collect(0, 20)
    with pytest.raises(CoordinatorError, match="Insufficient samples: 30 < 50"):
        train_walk_forward(world.context, "1d")
    world.collect(20, 20)
    with pytest.raises(CoordinatorError, match="hold 50 resolved ones to learn from and as many to judge by"):
        train_walk_forward(world.context, "1d")


def test_models_of_other_settings_are_not_continued_but_put_away(make_world):
    world = make_world()
    world.collect(0, 400)
    train_walk_forward(world.context, "1d")
    world.configure(quality={"model_type": "logistic"})
    with pytest.raises(
        CoordinatorError, match=r"quality.model_type.*be 'lightgbm' as for the models.*--anew"
    ):
        train_walk_forward(world.context, "1d")
    anew = train_walk_forward(world.context, "1d", anew=True)
    registry = ModelRegistry(world.ledger)
    assert {m.info.kind for m in registry.models("signal_quality")} == {"logistic"}
    assert len(registry.models("signal_quality before 1")) == len(anew.folds)


def test_the_holdout_is_judged_and_each_look_is_on_record(make_world):
    world = make_world()
    world.collect(0, 700)
    train_walk_forward(world.context, "1d", FIRST + 500 * DAY)
    first = evaluate(world.context, "1d", FIRST + 600 * DAY)
    assert (first.begin, first.rows) == (FIRST + 500 * DAY, 200)
    assert first.auc > 0.6
    assert first.skill > 0
    assert first.signals.signals == 200
    assert 50 <= first.signals.accepted <= 70  # three in ten: decision.threshold .7
    assert first.signals.r_accepted > first.signals.r_all
    assert first.taken.signals == 100
    assert "the signals it accepts make more" in first.verdict
    assert first.warning == ""
    rest = evaluate(world.context, "1d")
    assert rest.rows == 390
    assert "looked at before (1 times" in rest.warning
    train_walk_forward(world.context, "1d", FIRST + 690 * DAY)
    assert (
        ModelRegistry(world.ledger).succession("signal_quality").last.info.trained_until < FIRST + 690 * DAY
    )


def test_without_an_edge_the_holdout_shows_none(make_world):
    world = make_world()
    world.collect(0, 500)
    world.collect(500, 200, edge=0.0)
    train_walk_forward(world.context, "1d", FIRST + 500 * DAY)
    found = evaluate(world.context, "1d")
    assert abs(found.auc - 0.5) < 0.08
    assert "no better than the base rate" in found.verdict
    assert "no difference that is not noise" in found.verdict


def test_what_a_model_has_learnt_by_heart_is_no_measure_of_the_holdout(make_world):
    by_heart = {"model_type": "random_forest", "leaf_samples": 5, "retrain_days": 500}
    world = make_world(quality=by_heart, decision={"percentile_window": 1000, "threshold": 0.9})
    world.collect(0, 700, edge=2.0)
    train_walk_forward(world.context, "1d", FIRST + 500 * DAY)
    found = evaluate(world.context, "1d").signals
    assert 0.08 < found.accepted / found.signals < 0.15  # one in ten: threshold .9


def test_what_is_accumulated_is_named_after_all_that_its_samples_depend_on():
    base = {"targets": {"horizon": 10}}

    def name(strategy="TechnicalBaseline", mode="spot", pairs=("BTC/USDT",), **sections):
        return _prefix(
            SimpleNamespace(trading_mode=mode, pairs=pairs, settings=load_settings({**base, **sections})),
            strategy,
        )

    changed = [{"strategy": "MLCoordinator"}, {"mode": "futures"}, {"pairs": ("ETH/USDT",)}]
    changed += [*OTHER, {"quality": {"panel_horizon": 9}}]
    names = [name(), *(name(**one) for one in changed)]
    assert len(set(names)) == len(names)
    assert name(sizing={"risk_per_trade": 0.012}, decision={"threshold": 0.8}) == name()
    assert name(pairs=("B/C", "A/C")) == name(pairs=("A/C", "B/C"))


def test_the_ledger_that_is_named_is_trained_and_judged_on_and_no_other(make_world, tmp_path):
    world, elsewhere = make_world(), tmp_path / "elsewhere"
    world.collect(0, 300)
    words = ["-c", str(world.config_path), "--user-data", str(elsewhere), "--json"]
    words += ["--ledger", str(world.folder / "coordinator.ledger.sqlite")]
    done = CliRunner().invoke(app, ["quality", "train", *words])
    assert (done.exit_code, len(json.loads(done.output)[0]["folds"])) == (0, 3), done.output
    done = CliRunner().invoke(app, ["quality", "evaluate", *words])
    assert (done.exit_code, list(json.loads(done.output))) == (0, ["1d"]), done.output
    assert not list(elsewhere.glob("*.sqlite"))


@pytest.mark.parametrize("command", ["accumulate", "full"])
def test_simulated_samples_never_go_to_the_bots_ledger(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text('{"trading_mode": "spot"}')
    done = CliRunner().invoke(app, ["quality", command, "-c", "config.json"])
    assert "The '--datadir' of the command line must be given, or --ledger" in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json"]
