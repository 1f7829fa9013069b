import dataclasses

import numpy as np
import pytest

from coordinator.errors import CoordinatorError
from coordinator.learning.controls import constant_scores, has_failed, noise_scores, shuffled_outcomes
from coordinator.learning.quality import train_model, walk_forward_scores
from coordinator.learning.quality_labels import expected_r, quality_label
from coordinator.learning.scores import auc, log_loss, mean_r_of_top, top_share
from coordinator.learning.walk_forward import walk_forward
from coordinator.settings import Settings, load_settings
from coordinator.settings.quality import QualitySettings

SETTINGS = QualitySettings(trees=40, learning_rate=0.1, leaf_samples=40)


def folds_of(rows, count=4):
    edges = np.linspace(rows.time.max() * 0.4, rows.time.max() + 1, count + 1).astype(np.int64)
    return walk_forward(rows.time, rows.outcome_time, edges)


def test_walk_forward_finds_the_skill_and_the_controls_do_not(rows):
    folds = folds_of(rows)
    scores, models = walk_forward_scores(rows, folds, SETTINGS)
    tested = np.concatenate([fold.test for fold in folds])
    won = rows.exit_kind == 1
    assert len(models) == 4
    assert np.isfinite(scores[tested]).all() and np.isnan(np.delete(scores, tested)).all()
    assert auc(scores[tested], won[tested]) > 0.62
    assert mean_r_of_top(scores[tested], rows.r[tested], 0.1) > rows.r[tested].mean() + 0.3
    rng = np.random.default_rng(1)
    shuffled = [
        train_model(shuffled_outcomes(rows, fold.train, rng), SETTINGS, fold.train).predict_proba(
            rows.x[fold.test]
        )
        for fold in folds
    ]
    assert auc(np.concatenate(shuffled), won[tested]) == pytest.approx(0.5, abs=0.05)
    assert auc(noise_scores(len(tested), 1), won[tested]) == pytest.approx(0.5, abs=0.05)
    assert auc(constant_scores(won.astype(float), len(tested)), won[tested]) == 0.5


@pytest.mark.parametrize("design", ["target", "profit", "barrier_sign", "expected_r"])
def test_a_score_does_not_depend_on_what_comes_after_the_slice(rows, design):
    settings = SETTINGS.model_copy(update={"label": design, "half_life_days": 50.0})
    folds = folds_of(rows)
    whole, _ = walk_forward_scores(rows, folds[:2], settings)
    late = (rows.time >= folds[1].start) | (rows.outcome_time >= folds[1].start)
    rng = np.random.default_rng(0)
    r = np.where(late, rng.normal(0, 2, len(rows)), rows.r)
    kind = np.where(late, rng.integers(1, 4, len(rows)), rows.exit_kind)
    changed, _ = walk_forward_scores(dataclasses.replace(rows, r=r, exit_kind=kind), folds[:2], settings)
    np.testing.assert_array_equal(changed, whole)
    # and the same test does see a leak: fold 2's model would have learnt from those rows
    leaking = dataclasses.replace(folds[1], train=np.arange(len(rows)))
    one, _ = walk_forward_scores(rows, [leaking], settings)
    two, _ = walk_forward_scores(dataclasses.replace(rows, r=r, exit_kind=kind), [leaking], settings)
    assert not np.array_equal(one[leaking.test], two[leaking.test])


def test_the_order_of_the_rows_does_not_matter(rows):
    unique = np.unique(rows.time, return_index=True)[1]
    part = dataclasses.replace(
        rows, **{k: getattr(rows, k)[unique] for k in ("x", "time", "outcome_time", "r", "exit_kind")}
    )
    mixed_up = np.random.default_rng(0).permutation(len(part))
    other = dataclasses.replace(
        part, **{k: getattr(part, k)[mixed_up] for k in ("x", "time", "outcome_time", "r", "exit_kind")}
    )
    assert train_model(part, SETTINGS).to_bytes() == train_model(other, SETTINGS).to_bytes()


def test_unresolved_signals_train_nothing_and_too_few_are_an_error(rows):
    open_ones = np.arange(len(rows)) % 2 == 0
    half = dataclasses.replace(
        rows,
        r=np.where(open_ones, np.nan, rows.r),
        exit_kind=np.where(open_ones, 0, rows.exit_kind),
        outcome_time=np.where(open_ones, -1, rows.outcome_time),
    )
    kept = np.flatnonzero(~open_ones)
    assert train_model(half, SETTINGS).to_bytes() == train_model(rows, SETTINGS, kept).to_bytes()
    assert not half.known_before(10**12)[open_ones].any()
    with pytest.raises(CoordinatorError, match="at least 50 resolved signals"):
        train_model(half, SETTINGS, np.arange(98))
    assert train_model(half, SETTINGS, np.arange(100)).to_bytes()  # half of them are resolved


def test_label_designs():
    r = np.array([2.4, -1.1, 0.1, 0.8, -0.6, np.nan])
    kind = np.array([1, 2, 3, 3, 3, 0])
    expected = {
        "target": [1, 0, 0, 0, 0, np.nan],
        "profit": [1, 0, 1, 1, 0, np.nan],
        "barrier_sign": [1, 0, 0.5, 1, 0, np.nan],
        "expected_r": [3.4 / 3.5, 0, 1.1 / 3.5, 1.8 / 3.5, 0.4 / 3.5, np.nan],
    }
    for design, labels in expected.items():
        np.testing.assert_allclose(quality_label(r, kind, design, 2.5), labels)
    inside = (r > -1) & (r < 2.5)
    soft = quality_label(r, kind, "expected_r", 2.5)
    np.testing.assert_allclose(expected_r(soft, 2.5)[inside], r[inside])


def test_best_share_takes_the_best_and_the_earlier_of_equals():
    score = np.array([0.5, 0.9, 0.5, 0.1])
    assert top_share(score, 0.5).tolist() == [True, True, False, False]
    assert top_share(score, 0.01).sum() == 1
    assert np.isnan(mean_r_of_top(score[:0], score[:0], 0.1))


def test_auc_is_the_chance_of_the_right_order_ties_half():
    rng = np.random.default_rng(0)
    score, won = rng.integers(0, 6, 300) / 5, rng.random(300) < 0.4
    difference = score[won][:, None] - score[~won][None, :]
    assert auc(score, won) == pytest.approx(((difference > 0) + 0.5 * (difference == 0)).mean())
    assert np.isnan(auc(score, np.ones(300, dtype=bool)))


def test_a_model_worse_than_the_prior_has_failed():
    y = np.array([1.0, 0.0, 0.0, 0.0])
    prior = log_loss(np.full(4, 0.25), y)
    assert not has_failed(log_loss(np.array([0.4, 0.2, 0.2, 0.2]), y), prior)
    assert has_failed(log_loss(np.array([0.1, 0.9, 0.2, 0.2]), y), prior)
    assert has_failed(log_loss(np.array([np.nan, 0.9, 0.2, 0.2]), y), prior)
    assert np.isfinite(log_loss(np.array([0.0, 1.0, 0.0, 0.0]), y)), "certain and wrong is bad, not infinite"


def test_the_documented_defaults():
    """Spec 002: the margin of a retrain, the least samples; the model that is the default."""
    settings = QualitySettings()
    assert settings == Settings().quality
    assert (settings.auc_margin, settings.minimum_samples) == (0.005, 50)
    assert (settings.model_type, settings.threads) == ("lightgbm", 1)
    for wrong in (
        {"model_type": "catboost"},
        {"label": "luck"},
        {"auc_margin": -0.1},
        {"threads": 0},
        {"tree": 3},
    ):
        with pytest.raises(CoordinatorError, match=r"quality\."):
            load_settings({"quality": wrong})


def test_pairs_are_pooled_with_their_outcomes():
    from types import SimpleNamespace

    from coordinator.decision.outcomes import Outcomes
    from coordinator.learning.quality_rows import pool_rows
    from coordinator.signals.signal_features import SIGNAL_SCHEMA, SignalFeatures

    def pair(start, index):
        time = (start + np.arange(10)) * 3600
        view = SimpleNamespace(candles=SimpleNamespace(time=time, seconds=3600))
        values = np.full((len(index), len(SIGNAL_SCHEMA)), float(start))
        return view, SignalFeatures(np.array(index), values)

    (one, f_one), (two, f_two) = pair(0, [1, 5]), pair(100, [2])
    outcomes = {
        "A": Outcomes(np.array([2.4, np.nan]), np.array([1, 0]), np.array([4, -1])),
        "B": Outcomes(np.array([-1.1]), np.array([2]), np.array([9])),
    }
    pooled = pool_rows({"A": one, "B": two}, {"A": f_one, "B": f_two}, outcomes, 2.5)
    assert pooled.time.tolist() == [3600, 5 * 3600, 102 * 3600]
    assert pooled.outcome_time.tolist() == [4 * 3600, -1, 109 * 3600]
    assert pooled.x[:, 0].tolist() == [0.0, 0.0, 100.0]
    assert pooled.known_before(5 * 3600).tolist() == [True, False, False]
    assert pooled.select_features(["score", "return_1"]).schema.names == ("score", "return_1")
    two.candles.seconds = 14400
    with pytest.raises(CoordinatorError, match="one timeframe"):
        pool_rows({"A": one, "B": two}, {"A": f_one, "B": f_two}, outcomes, 2.5)
