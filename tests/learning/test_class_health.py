"""Health of classifiers: what is looked at weighs, what is noise does not, and shuffling leaves the rows alone."""

import numpy as np
import pytest

from coordinator.learning.class_health import confidence_quantiles, input_drift, shuffled_importance

NAMES = ("noise", "signal")


def predict(x):
    """Sure of class 1 where the second feature is positive; nothing of the first row, as of a sequence's beginning."""
    p = np.where(x[:, 1] > 0, 0.9, 0.1)
    out = np.column_stack((1 - p, p))
    out[0] = np.nan
    return out


def test_a_feature_that_decides_is_worth_log_loss_and_noise_is_worth_nothing():
    x = np.random.default_rng(0).normal(size=(400, 2))
    classes, before = (x[:, 1] > 0).astype(np.int64), x.copy()
    lost = shuffled_importance(predict, x, classes, NAMES, seed=1)
    # Half of the rows become wrong: log loss from -ln .9 to the mean of -ln .9 and -ln .1.
    assert lost["signal"] == pytest.approx(0.5 * (np.log(0.9) - np.log(0.1)), rel=0.1)
    assert lost["noise"] == 0.0
    np.testing.assert_array_equal(x, before)
    assert shuffled_importance(predict, x, classes, NAMES, seed=1) == lost
    assert shuffled_importance(predict, x[:1], classes[:1], NAMES, seed=1) == {}


def test_quantiles_are_of_the_likeliest_class():
    p = np.array([[0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    assert confidence_quantiles(p)[::3] == [0.5, 0.6, 0.8]


def test_inputs_that_move_are_named():
    rows = np.random.default_rng(1).normal(size=(2000, 2))
    calm, _ = input_drift(rows[:1000], rows[1000:], NAMES)
    moved, names = input_drift(rows[:1000], rows[1000:] + np.array([0.0, 2.0]), NAMES)
    assert calm < 0.1 < 0.25 < moved
    assert names[0] == "signal"
