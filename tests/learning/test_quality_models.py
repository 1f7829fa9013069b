"""One contract for every model of the registry."""

import hashlib
import json
import logging
import tomllib
import typing
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from coordinator.errors import CoordinatorError
from coordinator.learning.quality import create_model, load_model, train_model
from coordinator.learning.quality_models.imputer import fill
from coordinator.learning.quality_models.registry import MODELS, model_class
from coordinator.learning.scores import auc
from coordinator.settings.quality import ModelType, QualitySettings
from coordinator.signals.feature_schema import FeatureSchema

KINDS = tuple(MODELS)


def settings_for(kind, **more):
    return QualitySettings(model_type=kind, trees=40, learning_rate=0.1, leaf_samples=40, **more)


@pytest.fixture(scope="module", params=KINDS)
def model(request, rows):
    return train_model(rows, settings_for(request.param))


def test_the_setting_lists_the_registry():
    assert set(typing.get_args(ModelType)) == set(MODELS)
    assert set(MODELS) == {"lightgbm", "xgboost", "random_forest", "logistic"}
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    installed = {pinned.split("==")[0] for pinned in project["dependencies"]}
    assert {"lightgbm", "xgboost", "scikit-learn"} <= installed
    assert all(model_class(kind).kind == kind for kind in KINDS)


def test_it_learns_what_is_there(model, make_signals):
    later = make_signals(seed=1)
    assert auc(model.predict_proba(later.x), later.exit_kind == 1) > 0.62
    share = model.importance()
    assert sum(share.values()) == pytest.approx(1.0)
    assert set(sorted(share, key=share.get)[-2:]) == {"f0", "f3"}


def test_probabilities_are_between_0_and_1_and_on_average_the_base_rate(model, rows):
    p = model.predict_proba(rows.x)
    assert p.shape == (len(rows),) and np.isfinite(p).all()
    assert p.min() >= 0 and p.max() <= 1
    assert p.mean() == pytest.approx((rows.exit_kind == 1).mean(), abs=0.03)


def test_predicting_changes_nothing_and_one_row_is_as_the_window(model, rows):
    x = rows.x[:200].copy()
    whole = model.predict_proba(x)
    np.testing.assert_array_equal(x, rows.x[:200])
    one_by_one = np.concatenate([model.predict_proba(x[i : i + 1]) for i in range(200)])
    np.testing.assert_array_equal(one_by_one.round(6), whole.round(6))
    np.testing.assert_array_equal(model.predict_proba(x), whole)
    assert model.predict_proba(x[:0]).shape == (0,)


def test_missing_values_and_wild_ones_are_no_trouble(model):
    x = np.full((3, 8), np.nan)
    x[1], x[2] = 1e9, -1e9
    assert np.isfinite(model.predict_proba(x)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_two_runs_give_the_same_file_and_another_seed_another(kind, rows, tmp_path):
    hashes = []
    for run, seed in enumerate((42, 42, 43)):
        path = tmp_path / f"{run}{model_class(kind).suffix}"
        hashes.append(train_model(rows, settings_for(kind, seed=seed)).save(path))
        assert hashes[-1] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert hashes[0] == hashes[1]
    assert (hashes[0] != hashes[2]) == (kind != "logistic")  # nothing in it is random


def test_a_file_gives_the_same_model_again(model, rows, tmp_path):
    path = tmp_path / f"model{model.suffix}"
    model.save(path)
    again = load_model(path, QualitySettings(), model.kind)
    assert again.schema == model.schema and again.schema.hash == model.schema.hash
    np.testing.assert_array_equal(again.predict_proba(rows.x), model.predict_proba(rows.x))
    assert again.to_bytes() == path.read_bytes()
    assert again.importance() == pytest.approx(model.importance())


def test_rows_of_another_schema_are_aligned_by_name_with_one_warning(model, rows, caplog):
    order = [5, 0, 3, 1, 2, 4, 6]  # f7 is missing, "new" is new
    other = FeatureSchema((*(f"f{i}" for i in order), "new"), 2)
    x = np.column_stack((rows.x[:50][:, order], np.ones(50)))
    expected = rows.x[:50].copy()
    expected[:, 7] = np.nan
    with caplog.at_level(logging.WARNING):
        found = model.predict_proba(x, other)
        model.predict_proba(x, other)
    np.testing.assert_array_equal(found, model.predict_proba(expected))
    warnings = [record.getMessage() for record in caplog.records]
    model._warned.clear()
    assert len(warnings) == 1 and "aligned by name; missing: f7" in warnings[0]


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_another_schema_can_be_refused(kind, rows):
    model = train_model(rows, settings_for(kind, schema_mismatch="refuse"))
    with pytest.raises(CoordinatorError, match="be of the schema it was trained on"):
        model.predict_proba(rows.x, FeatureSchema(rows.schema.names, 2))
    with pytest.raises(CoordinatorError, match="have 8 columns"):
        model.predict_proba(rows.x[:, :5])


@pytest.mark.parametrize("kind", KINDS)
def test_mistakes_in_training_are_named(kind, rows):
    model, y = create_model(settings_for(kind), rows.schema), rows.label(QualitySettings())
    for x, labels, name in (
        (rows.x[:, :7], y, "features"),
        (rows.x[:40], y[:40], "training rows"),
        (rows.x, np.zeros(len(y)), "labels"),
        (rows.x, y * 2, "labels"),
    ):
        with pytest.raises(CoordinatorError) as error:
            model.fit(x, labels)
        assert error.value.name == name


@pytest.mark.parametrize("kind", KINDS)
def test_soft_labels_and_weights_count(kind, rows):
    x, y = rows.x, rows.label(QualitySettings())
    soft = create_model(settings_for(kind), rows.schema).fit(x, 0.2 + 0.6 * y)
    assert soft.predict_proba(x).mean() == pytest.approx(0.2 + 0.6 * y.mean(), abs=0.03)
    weight = np.where(y > 0, 5.0, 1.0)
    weighted = create_model(settings_for(kind), rows.schema).fit(x, y, weight)
    mean = np.average(weighted.predict_proba(x), weights=weight)
    assert mean == pytest.approx(np.average(y, weights=weight), abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"tree\nversion=v4\n", b'{"a": 1}', b"\x80\x04\x95pickle"])
def test_a_file_that_is_something_else_is_refused(kind, content, tmp_path):
    path = tmp_path / f"model{model_class(kind).suffix}"
    path.write_bytes(content)
    with pytest.raises(CoordinatorError):
        load_model(path, QualitySettings(), kind)


def test_a_changed_schema_in_a_file_is_refused(rows, tmp_path):
    path = tmp_path / "model.txt"
    train_model(rows, settings_for("lightgbm")).save(path)
    lightgbm.Booster(model_file=path)  # LightGBM itself still reads it
    path.write_bytes(path.read_bytes().replace(b'"f7"', b'"g7"'))
    with pytest.raises(CoordinatorError, match="hash"):
        load_model(path, QualitySettings())


def test_a_missing_file_an_unknown_type_and_a_wrong_ending(model, tmp_path):
    with pytest.raises(CoordinatorError, match="train a model first"):
        load_model(tmp_path / "none.txt", QualitySettings())
    with pytest.raises(CoordinatorError, match="be one of lightgbm, xgboost, random_forest, logistic"):
        load_model(tmp_path / "none.txt", QualitySettings(), "catboost")
    with pytest.raises(CoordinatorError, match="end with"):
        model.save(tmp_path / "model.pkl")


def test_the_forest_predicts_as_scikit_learn_does(rows):
    settings = settings_for("random_forest", row_share=1.0, feature_share=0.4)
    y = rows.label(settings)
    model = create_model(settings, rows.schema).fit(rows.x, y)
    x = fill(rows.x, model.arrays_["median"])
    forest = RandomForestRegressor(
        n_estimators=40, max_leaf_nodes=120, min_samples_leaf=40, max_features=0.4, random_state=42
    ).fit(x, y, sample_weight=np.ones(len(y)))
    np.testing.assert_allclose(model.predict_proba(rows.x), forest.predict(x), rtol=0, atol=1e-12)


def test_boosting_stops_by_the_validation_rows(rows, make_signals):
    later = make_signals(seed=2)
    settings = {"trees": 400, "learning_rate": 0.3, "leaf_samples": 20, "patience": 10}
    y, truth = rows.label(QualitySettings()), later.label(QualitySettings())
    for kind in ("lightgbm", "xgboost"):
        model = create_model(QualitySettings(model_type=kind, **settings), rows.schema)
        model.fit(rows.x, y, validation=(later.x, truth))
        booster = model.booster_
        rounds = booster.num_trees() if kind == "lightgbm" else booster.num_boosted_rounds()
        assert 5 < rounds < 200
        if kind == "xgboost":  # probabilities, by the logistic loss
            assert json.loads(booster.save_config())["learner"]["objective"]["name"] == "binary:logistic"
        losses = []
        for k in range(1, rounds + 1):
            p = (
                booster.predict(later.x, num_iteration=k)
                if kind == "lightgbm"
                else booster[:k].inplace_predict(later.x)
            )
            losses.append(-(truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean())
        assert np.argmin(losses) == rounds - 1  # the best of them is the last that is kept


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_hundred_signals_teach_something(kind, make_signals):
    few, later = make_signals(n=300, seed=11, skill=2.0), make_signals(seed=12, skill=2.0)
    model = train_model(few, QualitySettings(model_type=kind))  # as shipped: leaves of 200 would be no tree
    assert auc(model.predict_proba(later.x), later.exit_kind == 1) > 0.6
