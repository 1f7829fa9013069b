import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from coordinator.learning.temperature import (
    HIGHEST,
    LOWEST,
    fit_temperature,
    mean_log_loss,
    scaled_probabilities,
)


def drawn(seed, n=4000):
    """Logits, and classes drawn by their softmax: their temperature is 1."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 3))
    cumulated = scaled_probabilities(logits, 1.0).cumsum(axis=1)
    return logits, (rng.random(n)[:, None] > cumulated[:, :2]).sum(axis=1)


@pytest.mark.parametrize("true", [0.3, 0.8, 1.0, 2.0, 6.0])
def test_the_temperature_that_was_put_in_is_found(true):
    logits, classes = drawn(1)
    assert fit_temperature(logits * true, classes) == pytest.approx(true, rel=0.06)


@given(seed=st.integers(0, 50), sureness=st.floats(0.02, 40), n=st.integers(1, 60))
def test_it_is_the_minimum_and_never_worse_than_none(seed, sureness, n):
    logits, classes = drawn(seed, n)
    logits = logits * sureness
    found = fit_temperature(logits, classes)
    assert LOWEST <= found <= HIGHEST * (1 + 1e-12)
    loss = mean_log_loss(logits, classes, found)
    assert loss <= mean_log_loss(logits, classes, 1.0)
    bounds = tuple(np.log((LOWEST, HIGHEST)))
    best = minimize_scalar(
        lambda t: mean_log_loss(logits, classes, np.exp(t)), bounds=bounds, method="bounded"
    )
    assert loss <= best.fun + 1e-9


def test_wrong_everywhere_ends_at_the_bounds_and_nothing_to_fit_changes_nothing():
    sure = np.array([[30.0, 0.0, 0.0]] * 5)
    assert fit_temperature(sure, np.ones(5, dtype=int)) == pytest.approx(HIGHEST)
    assert fit_temperature(sure / 30, np.zeros(5, dtype=int)) == pytest.approx(LOWEST)
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, dtype=int)) == 1.0
    assert fit_temperature(np.zeros((4, 3)), np.array([0, 1, 2, 0])) == 1.0


def test_scaled_probabilities_by_hand():
    p = scaled_probabilities(np.log(np.array([[1.0, 4.0, 4.0], [9.0, 1.0, 0.25]])) + 900.0, 2.0)
    np.testing.assert_allclose(p, [[0.2, 0.4, 0.4], [3 / 4.5, 1 / 4.5, 0.5 / 4.5]])
    loss = mean_log_loss(np.log(np.array([[1.0, 4.0, 4.0]])), np.array([2]), 2.0)
    assert loss == pytest.approx(-np.log(0.4))
