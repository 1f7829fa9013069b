import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.decision.percentile import causal_percentile


def reference(time, values, window, prior, low, high):
    """The definition, one value at a time."""
    out, seen = [], []
    for t, v in zip(time, values, strict=True):
        if np.isnan(v):
            out.append(np.nan)
        else:
            past = [x for s, x in seen if s < t][-window:]
            missing = max(prior - len(past), 0)
            below = sum(x < v for x in past) + 0.5 * sum(x == v for x in past)
            below += missing * min(max((v - low) / (high - low), 0), 1)
            out.append(below / (len(past) + missing))
            seen.append((t, v))
    return np.array(out)


@given(
    steps=st.lists(st.integers(0, 2), min_size=1, max_size=120),
    data=st.data(),
    window=st.integers(5, 40),
    prior=st.integers(1, 30),
)
def test_equals_its_definition(steps, data, window, prior):
    values = data.draw(
        st.lists(
            st.one_of(st.sampled_from([0.0, 0.5, np.nan]), st.floats(-1, 1)),
            min_size=len(steps),
            max_size=len(steps),
        )
    )
    time, values = np.cumsum(steps), np.array(values)
    got = causal_percentile(time, values, window=window, prior=prior, low=-1.0)
    np.testing.assert_allclose(got, reference(time, values, window, prior, -1.0, 1.0))
    assert ((got >= 0) & (got <= 1) | np.isnan(values)).all()


def test_uniform_prior_until_fifty_are_seen():
    values = np.full(60, 0.3)
    got = causal_percentile(np.arange(60), values)
    assert got[0] == pytest.approx(0.3)
    assert got[10] == pytest.approx((10 * 0.5 + 40 * 0.3) / 50)
    assert got[50] == pytest.approx(0.5)


def test_seventy_means_better_than_seventy_percent_of_the_last_500():
    rng = np.random.default_rng(0)
    values = rng.beta(2, 5, 5000) + np.linspace(0, 3, 5000)  # a drifting scale
    got = causal_percentile(np.arange(5000), values)[500:]
    stationary = causal_percentile(np.arange(5000), rng.beta(2, 5, 5000))[500:]
    assert (stationary >= 0.7).mean() == pytest.approx(0.3, abs=0.02)
    assert got.mean() > 0.5  # the drift shows, bounded by the window


@given(cut=st.integers(1, 199), seed=st.integers(0, 1000))
def test_the_future_changes_nothing(cut, seed):
    rng = np.random.default_rng(seed)
    time, values = np.cumsum(rng.integers(0, 2, 200)), rng.normal(size=200)
    whole = causal_percentile(time, values, window=50, prior=10)
    np.testing.assert_array_equal(
        causal_percentile(time[:cut], values[:cut], window=50, prior=10), whole[:cut]
    )


def test_nothing_in_nothing_out():
    assert causal_percentile(np.zeros(0, np.int64), np.zeros(0)).shape == (0,)
    assert np.isnan(causal_percentile(np.arange(3), np.full(3, np.nan))).all()
