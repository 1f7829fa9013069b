"""What fits below the portfolio's volatility target."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.trade.volatility_target import fitting_share


def volatility(covariance, weights):
    return float(np.sqrt(weights @ covariance @ weights))


@given(
    st.lists(st.floats(-0.4, 0.4), min_size=3, max_size=3),
    st.integers(0, 2),
    st.sampled_from([-0.3, 0.05, 0.25, 0.6]),
    st.floats(0.001, 0.05),
    st.integers(0, 50),
)
def test_the_share_is_the_greatest_that_keeps_the_target(held, which, size, target, seed):
    root = np.random.default_rng(seed).normal(size=(3, 3)) * 0.02
    covariance = root @ root.T + np.eye(3) * 1e-5
    weights, added = np.array(held), np.zeros(3)
    added[which] = size
    share = fitting_share(covariance, weights, added, target)
    assert 0.0 <= share <= 1.0
    if volatility(covariance, weights) <= target:
        assert volatility(covariance, weights + share * added) <= target * (1 + 1e-6)
        if share < 1.0:
            assert volatility(covariance, weights + min(1.0, share + 0.01) * added) > target * (1 - 1e-9)
    elif volatility(covariance, weights + added) > target and weights @ covariance @ added >= 0:
        assert share == 0.0  # above the target, and the addition makes it worse


def test_a_hedge_of_what_is_held_fits_though_the_target_is_missed():
    covariance = np.array([[0.04**2]])
    assert fitting_share(covariance, np.array([0.8]), np.array([-0.5]), 0.02) == 1.0


def test_an_unknown_pair_counts_as_cash():
    covariance = np.array([[0.04**2, np.nan], [np.nan, np.nan]])
    assert fitting_share(covariance, np.array([0.0, 5.0]), np.array([0.4, 0.0]), 0.02) == 1.0
    assert fitting_share(covariance, np.array([0.0, 0.0]), np.array([0.0, 9.0]), 0.02) == 1.0
    assert fitting_share(covariance, np.array([0.25, 0.0]), np.array([0.5, 0.0]), 0.02) == pytest.approx(0.5)
