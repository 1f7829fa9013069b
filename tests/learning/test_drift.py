"""Drift is seen where it was planted and not where there is none; what it is measured against survives JSON."""

import json

import numpy as np
import pytest

from benchmarks.drift_detection import SHIFTS, first_alarm, make_stream
from coordinator.learning.drift.limits import drift_limits, feature_drift
from coordinator.learning.drift.watch import Scored, TrainingMarks, check_drift, training_marks
from coordinator.settings.continuous_learning import ContinuousLearningSettings

DAY = 86400
SETTINGS = ContinuousLearningSettings()
NAMES = tuple("abcdefgh")


def rows(seed, n=2400):
    return np.random.default_rng(seed).normal(size=(n, len(NAMES)))


@pytest.fixture(scope="module")
def limits():
    return drift_limits(rows(0), 200, 0.01, 0.25, 0.1)


def test_what_looks_like_the_training_has_not_moved(limits):
    found = feature_drift(limits, rows(1, 200))
    assert not found.drifted
    assert not found.moved.any()


def test_features_that_moved_are_named_and_too_few_rows_say_nothing(limits):
    new = rows(1, 300)
    new[:, 2] += 1.5
    found = feature_drift(limits, new)
    assert found.drifted
    assert found.rows == limits.window == 200
    assert np.flatnonzero(found.moved).tolist() == [2]
    assert feature_drift(limits, new[:199]) is None


def test_a_feature_that_stands_still_is_a_drift_unless_it_did_before(limits):
    new = rows(1, 200)
    new[:, 5] = new[0, 5]
    assert np.flatnonzero(feature_drift(limits, new).broken).tolist() == [5]
    new[:, 5] = np.nan
    assert feature_drift(limits, new).broken[5]
    before = rows(0)
    before[:300, 5] = np.nan
    assert not feature_drift(drift_limits(before, 200, 0.01, 0.25, 0.1), new).broken.any()


def test_limits_are_wider_where_the_trainings_own_windows_strayed():
    calm, moody = rows(0), rows(0)
    moody += 1.5 * np.repeat(np.random.default_rng(2).normal(size=(12, len(NAMES))), 200, axis=0)
    wide = drift_limits(moody, 200, 0.01, 0.25, 0.1)
    tight = drift_limits(calm, 200, 0.01, 0.25, 0.1)
    assert (wide.psi_limit > 3 * tight.psi_limit).all()
    assert (wide.ks_limit > 1.5 * tight.ks_limit).all()
    strayed = rows(3, 200) + 1.0
    assert feature_drift(tight, strayed).drifted
    assert not feature_drift(wide, strayed).drifted


def scored(seed, days, wins, start=0):
    """A model that says .5, .3 or .7 at random, four outcomes a day, won as often as it says times ``wins``."""
    rng = np.random.default_rng(seed)
    p = rng.choice([0.3, 0.5, 0.7], days * 4)
    y = (rng.random(len(p)) < p * wins).astype(float)
    return Scored((start + np.repeat(np.arange(days), 4)) * DAY, p, y)


@pytest.fixture(scope="module")
def marks():
    made = training_marks(rows(0), scored(0, 90, 1.0), 5.0, SETTINGS)
    return TrainingMarks.from_json(json.loads(json.dumps(made.as_json())))


def test_a_calm_stream_is_calm(marks):
    report = check_drift(marks, rows(1, 400), NAMES, scored(1, 200, 1.0, 90), SETTINGS)
    assert not report.drifted
    assert (
        report.sentence == "features as in training (0% beyond their limits); error steady over 800 outcomes"
    )
    assert json.dumps(report.as_json())


def test_probabilities_that_no_longer_hold_are_a_change_of_calibration(marks):
    report = check_drift(marks, rows(1, 400), NAMES, scored(1, 200, 0.5, 90), SETTINGS)
    assert report.calibration_changed
    assert report.calibration > 3
    assert "calibration changed by +" in report.sentence
    report = check_drift(marks, rows(1, 400), NAMES, scored(1, 200, 1.5, 90), SETTINGS)
    assert report.calibration_changed
    assert "calibration changed by -" in report.sentence


def test_an_error_that_rises_is_a_drift_and_one_that_falls_is_none(marks):
    good = scored(1, 200, 1.0, 90)
    wrong = good._replace(y=(good.p < 0.5).astype(float))
    right = good._replace(y=(good.p > 0.5).astype(float), p=np.where(good.p > 0.5, 0.9, 0.1))
    rose = check_drift(marks, rows(1, 400), NAMES, wrong, SETTINGS)
    assert rose.error_rose
    assert rose.error_now > rose.error_before
    assert "error rose from" in rose.sentence
    fell = check_drift(marks, rows(1, 400), NAMES, right, SETTINGS)
    assert not fell.error_rose
    assert fell.error_change < -3


def test_a_rise_of_the_blocks_that_adwin_does_not_see_is_none(marks):
    few = scored(1, 40, 1.0, 90)
    turned = np.random.default_rng(5).random(len(few.p)) < 0.4
    few = few._replace(y=np.where(turned, (few.p < 0.5).astype(float), few.y))
    report = check_drift(marks, rows(1, 400), NAMES, few, SETTINGS)
    assert report.error_change > 3
    assert np.isnan(report.error_now)
    assert not report.error_rose


def test_limits_come_back_from_json_as_they_were(limits):
    back = type(limits).from_json(json.loads(json.dumps(limits.as_json())))
    np.testing.assert_allclose(back.quantiles, limits.quantiles, rtol=1e-5)
    new = rows(4, 200) + 0.4
    one, two = feature_drift(limits, new), feature_drift(back, new)
    np.testing.assert_allclose(one.psi, two.psi, rtol=0.02)
    np.testing.assert_array_equal(one.moved, two.moved)


@pytest.mark.parametrize("name", list(SHIFTS))
def test_planted_shifts_are_found_in_independent_streams_and_nothing_else(name):
    """Three streams of the benchmark, whose README figures rest on 200."""
    for seed in range(3):
        rng = np.random.default_rng([seed, 0])
        stream = make_stream(rng, 590 + 140, moods=False)
        found, what = first_alarm(SHIFTS[name](stream, stream.day >= 590, rng), 140)
        assert (found is None) == (name == "none"), what
