"""Health of classifiers: what is looked at weighs, what is noise does not, and shuffling leaves the rows alone."""

import numpy as np
import pytest

from coordinator.learning.class_health import (
    class_figures,
    confidence_quantiles,
    input_drift,
    shuffled_importance,
)

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
    turned = shuffled_importance(
        lambda rows: predict(rows[:, ::-1]), x[:, ::-1], classes, NAMES[::-1], seed=1
    )
    assert turned["noise"] == 0.0  # each is shuffled alone
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
    # All rows beyond the tenth decile: .9 ln 10 for its bin, .0999 ln 1000 for each that is empty (.0001) now.
    beyond, _ = input_drift(np.arange(1000.0)[:, None], np.full((50, 1), 5000.0), ("a",))
    assert beyond == pytest.approx(0.9 * np.log(10) + 9 * 0.0999 * np.log(1000))
    wide = np.random.default_rng(2).normal(size=(2000, 7))
    _, named = input_drift(wide[:1000], wide[1000:] + np.arange(7.0), tuple("abcdefg"))
    assert len(named) == 5
    assert not {"a", "b"} & set(named)


def test_a_gap_is_the_trainings_over_the_tests_and_may_be_negative():
    p = np.array([[0.8, 0.2], [0.4, 0.6], [0.7, 0.3], [0.1, 0.9]])
    right, half = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    assert class_figures(p, half, p, right) == {"accuracy": 1.0, "train_accuracy": 0.5, "gap": -0.5}
    assert class_figures(p, right, p, half)["gap"] == 0.5
