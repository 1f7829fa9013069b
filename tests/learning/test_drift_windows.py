"""All windows at once are each window by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.learning.drift.limits import drift_limits, feature_drift
from coordinator.learning.drift.stability import drift_reference, psi, psi_of_windows
from coordinator.learning.drift.windows import Windows


def parts(x, rows, step):
    return [x[start : start + rows] for start in range(0, len(x) - rows + 1, step)]


@given(n=st.integers(1, 60), rows=st.integers(1, 60), step=st.integers(1, 20), seed=st.integers(0, 99))
@settings(max_examples=60)
def test_counts_and_spans_are_each_windows_own(n, rows, step, seed):
    rows = min(rows, n)
    rng = np.random.default_rng(seed)
    codes, x = rng.integers(0, 5, n), rng.normal(size=(n, 3))
    x[rng.random(x.shape) < 0.3] = rng.choice([np.nan, np.inf, -np.inf])
    windows = Windows.overlapping(n, rows, step)
    assert windows.rows.tolist() == [rows] * len(parts(x, rows, step))
    expected = [np.bincount(part, minlength=5) for part in parts(codes, rows, step)]
    np.testing.assert_array_equal(windows.counts(codes, 5), expected)
    known = [np.where(np.isfinite(part), part, np.nan) for part in parts(x, rows, step)]
    low, high = windows.span(x)
    for part, lowest, highest in zip(known, low, high, strict=True):
        for column, values in enumerate(part.T):
            finite = values[np.isfinite(values)]
            assert lowest[column] == min(finite, default=np.inf)
            assert highest[column] == max(finite, default=-np.inf)


@pytest.fixture
def rows():
    """Eight hundred of a trend, a grid of few values, gaps, and one unknown from its middle on."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(800, 5)).cumsum(axis=0)
    x[:, 1] = np.round(x[:, 1] / 4)
    x[rng.random(800) < 0.2, 2] = np.nan
    x[400:, 3] = np.inf
    return x


def test_stability_of_windows_is_that_of_each(rows):
    reference = drift_reference(rows)
    expected = [psi(reference, part) for part in parts(rows, 90, 11)]
    np.testing.assert_array_equal(psi_of_windows(reference, rows, Windows.overlapping(800, 90, 11)), expected)


def test_limits_are_the_quantile_of_what_each_window_strayed(rows):
    """A window by itself, as ``feature_drift`` looks at it, is as far as the limits took it to be."""
    limits = drift_limits(rows, 66, 0.1, 0.01, 0.1)
    assert limits.window == 66
    found = [feature_drift(limits, part) for part in parts(rows, 66, 8)]
    psis, distances = np.array([each.psi for each in found]), np.array([each.ks for each in found])
    np.testing.assert_array_equal(limits.psi_limit, np.maximum(1.5 * np.quantile(psis, 0.9, axis=0), 0.01))
    np.testing.assert_array_equal(limits.ks_limit, np.sqrt(1.5) * np.quantile(distances, 0.9, axis=0))
    assert limits.still.tolist() == [False, False, False, True, False]


def test_distances_are_kolmogorovs_on_the_grid_of_quantiles(rows):
    """Beside the definition: the largest gap between the shares below, at every quantile of the training."""
    limits = drift_limits(rows, 66, 0.1, 0.01, 0.1)
    now = rows[-66:] + 1.3
    found = feature_drift(limits, now).ks
    for column in (0, 4):  # without ties
        edges = limits.quantiles[column]
        share = np.array([(now[:, column] <= edge).mean() for edge in edges])
        under = np.array([(now[:, column] < edge).mean() for edge in edges])
        expected = max(np.abs(share - np.linspace(0, 1, 41)).max(), (np.linspace(0, 1, 41) - under).max())
        assert found[column] == pytest.approx(expected, abs=1e-12)
    assert found[3] == 0  # unknown
