import itertools
import json

import numpy as np
import pytest

from coordinator.errors import CoordinatorError
from coordinator.learning.drift.stability import CALM, MOVED, drift_reference, psi
from coordinator.learning.health import latency_seconds, measure_health, permutation_importance
from coordinator.learning.promotion import judge
from coordinator.learning.quality import train_model
from coordinator.settings.quality import QualitySettings

SETTINGS = QualitySettings(trees=40, learning_rate=0.1, leaf_samples=40)


@pytest.fixture(scope="module")
def model(rows):
    return train_model(rows, SETTINGS)


def health_of(model, rows, later, x=None):
    y = rows.label(SETTINGS)
    features = drift_reference(rows.x)
    scores = drift_reference(model.predict_proba(rows.x)[:, None])
    x = later.x if x is None else x
    return measure_health(model, (rows.x, y), (x, later.label(SETTINGS), later.r), features, scores)


def test_a_good_model_is_healthy(model, rows, make_signals):
    later = make_signals(seed=5)
    health = health_of(model, rows, later)
    said = model.predict_proba(later.x) >= rows.label(SETTINGS).mean()  # the base rate is the cut
    assert health.accuracy == (said == (later.label(SETTINGS) >= 0.5)).mean()
    assert health.signals == 3000 and not health.failed
    assert health.auc > 0.62 and health.train_auc > health.auc and health.gap == health.train_auc - health.auc
    assert health.brier_skill > 0.02 and health.ece < 0.06 and health.log_loss < health.prior_log_loss
    assert health.accuracy > 0.55 and 0 < health.base_rate < 1
    assert list(health.confidence) == sorted(health.confidence) and len(health.confidence) == 7
    assert health.top_10_r > health.top_30_r > health.all_r
    assert health.feature_drift < CALM and health.score_drift < CALM
    json.dumps(health.as_dict())


def test_a_model_without_skill_has_failed(model, rows, make_signals):
    other = make_signals(seed=6, skill=-0.8)
    health = health_of(model, rows, other)
    assert health.failed and health.auc < 0.45 and health.brier_skill < 0


def test_drift_is_the_population_stability_index():
    """Half and half, then a fifth and four fifths: .3 x ln(.8 / .5) + .3 x ln(.5 / .2)."""
    reference = drift_reference(np.arange(10.0)[:, None], bins=2)
    now = np.repeat([0.0, 9.0], [2, 8])[:, None]
    assert psi(reference, now) == pytest.approx([0.3 * np.log(1.6) + 0.3 * np.log(2.5)])
    assert (CALM, MOVED) == (0.1, 0.25)


def test_drift_names_the_features_that_moved(model, rows, make_signals):
    later = make_signals(seed=7)
    x = later.x.copy()
    x[:, 6] += 2.0
    x[:2000, 2] = np.nan
    health = health_of(model, rows, later, x)
    assert set(health.drifted[:2]) == {"f6", "f2"}
    moved = psi(drift_reference(rows.x), x)
    assert moved[6] > MOVED and moved[2] > MOVED and moved[0] < CALM
    assert (moved >= 0).all()


def test_drift_of_nothing_and_of_constants():
    reference = drift_reference(np.column_stack((np.zeros(100), np.full(100, np.nan))))
    assert psi(reference, np.column_stack((np.zeros(50), np.full(50, np.nan)))).tolist() == [0.0, 0.0]
    assert np.isnan(psi(reference, np.empty((0, 2)))).all()


def test_no_test_signals_is_an_error(model, rows, make_signals):
    nothing = make_signals(n=1)
    y = rows.label(SETTINGS)
    reference = drift_reference(rows.x)
    with pytest.raises(CoordinatorError, match="be one or more"):
        measure_health(model, (rows.x, y), (nothing.x[:0], y[:0], y[:0]), reference, reference)


def test_permutation_importance_finds_what_matters_and_leaves_the_rows(model, make_signals):
    later = make_signals(seed=8)
    before = later.x.copy()
    lost = permutation_importance(model, later.x, later.label(SETTINGS), seed=0, repeats=2)
    np.testing.assert_array_equal(later.x, before)
    assert set(sorted(lost, key=lost.get)[-2:]) == {"f0", "f3"}
    assert max(abs(lost[name]) for name in ("f1", "f2", "f4", "f5", "f6", "f7")) < 0.02
    assert lost == permutation_importance(model, later.x, later.label(SETTINGS), seed=0, repeats=2)


def test_latency_is_measured_by_the_clock_that_is_given(model, rows):
    ticks = itertools.count(step=0.25)
    assert latency_seconds(model, rows.x[:5], lambda: next(ticks)).tolist() == [0.25] * 5


def slice_of(strength, n=4000, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1, n)
    y = (rng.random(n) < 1 / (1 + np.exp(1 - truth))).astype(float)
    return y, 1 / (1 + np.exp(1 - strength * truth))


def test_a_better_challenger_is_promoted_and_an_equal_one_is_not():
    y, good = slice_of(1.0)
    base, half = y.mean(), np.where(np.arange(len(y)) % 2, good, y.mean())
    better = judge(y, good, half, base)
    assert better.promoted and better.sentence.startswith("promoted new model: AUC .")
    same = judge(y, good, good, base)
    assert not same.promoted
    assert same.sentence.startswith("kept current model: AUC improvement below threshold (.")
    assert same.sentence.endswith("margin .005)")
    worse = judge(y, half, good, base)
    assert not worse.promoted and worse.challenger_auc < worse.champion_auc


def test_exactly_the_margin_is_enough():
    y = np.repeat([0.0, 1.0], 100)
    champion = np.full(200, 0.5)  # AUC .5
    challenger = champion.copy()
    challenger[100] = 0.6  # one of a hundred winners above all losers: AUC .505
    assert judge(y, challenger, champion, 0.5, margin=0.005).promoted
    assert not judge(y, challenger, champion, 0.5, margin=0.0051).promoted


def test_a_failed_challenger_is_never_promoted_whatever_its_auc():
    y, good = slice_of(1.0)
    too_sure = np.clip(0.5 + 50 * (good - 0.5), 1e-9, 1 - 1e-9)
    for champion in (None, np.full(len(y), y.mean())):
        verdict = judge(y, too_sure, champion, y.mean())
        assert verdict.challenger_auc > 0.6 and not verdict.promoted
        assert "log loss" in verdict.sentence and "above the prior's" in verdict.sentence


def test_the_first_model_needs_only_not_to_fail_and_one_class_decides_nothing():
    y, good = slice_of(1.0)
    assert judge(y, good, None, y.mean()).sentence.startswith("promoted first model: AUC .")
    constant = judge(y, np.full(len(y), y.mean()), None, y.mean())
    assert constant.sentence == "no model: AUC .500 is not above chance"
    ones = np.ones(100)
    verdict = judge(ones, np.full(100, 0.9), np.full(100, 0.5), 0.3)
    assert not verdict.promoted and "winners or losers only" in verdict.sentence
