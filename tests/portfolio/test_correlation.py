"""Correlations of all pairs: equal to numpy's, causal, and silent where they cannot know."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.portfolio.correlation import ReturnPanel

HOUR, N, PAIRS = 3600, 400, ("ADA/USDT", "BTC/USDT", "ETH/USDT", "SOL/USDT")
TIME = np.arange(N, dtype=np.int64) * HOUR


def closes(seed=0, n=N):
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.01, n)
    return {
        pair: (TIME[:n], 100 * np.exp(np.cumsum(share * common + rng.normal(0, 0.01, n))))
        for pair, share in zip(PAIRS, (0.0, 1.0, 2.0, -2.0), strict=True)
    }


@pytest.mark.parametrize("row", [100, 250, N - 1])
def test_they_are_the_pearson_correlations_of_the_last_hundred_hourly_log_returns(row):
    """Spec 003: lookback 100."""
    found = closes()
    matrix = ReturnPanel.from_closes(found).correlations(int(TIME[row]), 100)
    frame = pd.DataFrame({pair: np.diff(np.log(close[: row + 1])) for pair, (_, close) in found.items()})
    np.testing.assert_allclose(matrix, frame.tail(100).corr().to_numpy(), atol=1e-12)
    assert matrix[2, 3] < 0 < matrix[1, 2]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), row=st.integers(0, N - 1), factor=st.floats(0.1, 10))
def test_nothing_later_matters(seed, row, factor):
    found = closes(seed)
    scrambled = {}
    for pair, (time, close) in found.items():
        later = close.copy()
        later[row + 1 :] = later[row + 1 :][::-1] * factor
        scrambled[pair] = time, later
    one, two = (ReturnPanel.from_closes(x).correlations(int(TIME[row]), 100) for x in (found, scrambled))
    np.testing.assert_array_equal(one, two)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), window=st.integers(20, 200))
def test_symmetric_bounded_and_one_with_itself(seed, window):
    matrix = ReturnPanel.from_closes(closes(seed)).correlations(int(TIME[-1]), window)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert (np.abs(matrix) <= 1).all()
    np.testing.assert_allclose(np.diag(matrix), 1)


def test_too_little_history_is_unknown():
    panel = ReturnPanel.from_closes(closes())
    assert np.isnan(panel.correlations(int(TIME[98]), 100)).all()
    assert np.isnan(panel.correlations(int(TIME[99]), 100)).all()  # the first return has no candle before it
    assert np.isfinite(panel.correlations(int(TIME[100]), 100)).all()
    assert np.isnan(panel.correlations(-HOUR, 100)).all()


@pytest.mark.parametrize(("seconds", "per_day"), [(HOUR, 24), (4 * HOUR, 6)])
def test_the_covariance_is_that_of_a_days_returns(seconds, per_day):
    found = {pair: (time // HOUR * seconds, close) for pair, (time, close) in closes().items()}
    panel, last = ReturnPanel.from_closes(found), (N - 1) * seconds
    returns = pd.DataFrame({pair: np.diff(np.log(close)) for pair, (_, close) in found.items()})
    expected = per_day * returns.tail(60).cov(ddof=0).to_numpy()
    np.testing.assert_allclose(panel.covariance(last, 60), expected, atol=1e-15)
    np.testing.assert_allclose(panel.covariance(60 * seconds, 60), per_day * returns[:60].cov(ddof=0))
    for time, window in ((59 * seconds, 60), (58 * seconds, 60), (last, N + 10), (last, 1), (-seconds, 60)):
        unknown = panel.covariance(time, window)
        assert unknown.shape == (4, 4)
        assert np.isnan(unknown).all()


def test_a_missing_candle_silences_its_pair_alone():
    found = closes()
    time, close = found["BTC/USDT"]
    kept = np.arange(N) != 350
    found["BTC/USDT"] = time[kept], close[kept]
    matrix = ReturnPanel.from_closes(found).correlations(int(TIME[-1]), 100)
    assert np.isnan(matrix[1]).all()
    assert np.isnan(matrix[:, 1]).all()
    assert np.isfinite(np.delete(np.delete(matrix, 1, 0), 1, 1)).all()


def test_a_pair_that_does_not_move_goes_with_none():
    found = closes()
    found["BTC/USDT"] = TIME, np.full(N, 5.0)
    matrix = ReturnPanel.from_closes(found).correlations(int(TIME[-1]), 100)
    assert (matrix[1] == 0).all()


def test_the_order_of_the_pairs_changes_nothing():
    found = closes()
    one, two = ReturnPanel.from_closes(found), ReturnPanel.from_closes(dict(reversed(found.items())))
    assert one.pairs == two.pairs == PAIRS
    np.testing.assert_array_equal(one.returns, two.returns)


def test_no_pairs_are_no_error():
    assert ReturnPanel.from_closes({}).correlations(0, 100).shape == (0, 0)
