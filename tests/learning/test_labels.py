import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.learning.labels import CLASSES, direction_labels, first_barrier, forward_direction
from coordinator.settings.learning import LearningSettings
from coordinator.signals.candles import Candles

S = LearningSettings()


def prices(seed=0, n=1000):
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, n)))


def test_the_rows_whose_future_is_not_there_have_no_label():
    label = forward_direction(prices(), S)
    assert np.isnan(label[-S.label_horizon :]).all()
    assert np.isnan(label[:168]).all()
    assert np.isfinite(label[168 : -S.label_horizon]).all()


@given(cut=st.integers(300, 999))
def test_a_label_needs_exactly_its_horizon(cut):
    """Cutting the candles at the label's horizon keeps it, one candle earlier takes it away."""
    close = prices()
    whole = forward_direction(close, S)
    part = forward_direction(close[:cut], S)
    np.testing.assert_array_equal(part[: cut - S.label_horizon], whole[: cut - S.label_horizon])
    assert np.isnan(part[cut - S.label_horizon :]).all()


def test_a_label_is_a_move_of_half_a_deviation_in_twelve_candles():
    close = prices()
    label, moves = forward_direction(close, S), np.diff(np.log(close))
    at = np.arange(200, len(close) - 12)
    sigma = np.array([moves[t - 168 : t].std() for t in at]) * np.sqrt(12)
    ahead = np.log(close[at + 12] / close[at])
    expected = np.where(ahead > 0.5 * sigma, 1, np.where(ahead < -0.5 * sigma, -1, 0))
    assert (label[at] == expected).mean() > 0.99  # the deviation's degrees of freedom aside


def test_the_label_looks_forward():
    close = np.concatenate((prices(1, 300), prices(1, 300)[-1] * np.exp(0.01 * np.arange(1, 60))))
    label = forward_direction(close, S)
    assert label[300] == 1
    assert forward_direction(1 / close, S)[300] == -1


def test_all_three_classes_are_common_on_a_random_walk():
    label = forward_direction(prices(2, 5000), S)
    shares = [np.nanmean(label == c) for c in CLASSES]
    assert shares == pytest.approx([0.38, 0.31, 0.31], abs=0.06)


BARRIER = LearningSettings(label="barrier", label_horizon=24, label_sigmas=0.6)


def candles_of(close, high=None, low=None):
    n = len(close)
    opened = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opened, close) if high is None else high
    low = np.minimum(opened, close) if low is None else low
    return Candles(3600 * np.arange(n), opened, high, low, close, np.ones(n), 3600)


@given(cut=st.integers(300, 999))
def test_a_barrier_label_needs_exactly_its_horizon(cut):
    close = prices(3)
    whole, part = first_barrier(candles_of(close), BARRIER), first_barrier(candles_of(close[:cut]), BARRIER)
    np.testing.assert_array_equal(part[: cut - 24], whole[: cut - 24])
    assert np.isnan(part[cut - 24 :]).all()
    assert np.isnan(whole[:168]).all()


def test_the_first_barrier_decides_as_one_would_by_hand():
    close = prices(4, 600)
    candles = candles_of(close)
    label = first_barrier(candles, BARRIER)
    step = np.diff(np.log(close))
    for i in range(200, 560, 7):
        bound = 0.6 * np.sqrt(24) * step[i - 168 : i].std()
        expected = 0
        for j in range(i + 1, i + 25):
            up, down = np.log(candles.high[j] / close[i]) >= bound, np.log(close[i] / candles.low[j]) >= bound
            if up or down:
                expected = int(up) - int(down)
                break
        assert label[i] == expected


def test_up_and_down_mirror_each_other():
    close = prices(5)
    up, down = (first_barrier(candles_of(x), BARRIER) for x in (close, 1 / close))
    np.testing.assert_array_equal(up[168:-24], -down[168:-24])


def test_the_setting_chooses_the_label():
    candles = candles_of(prices(6))
    np.testing.assert_array_equal(direction_labels(candles, S), forward_direction(candles.close, S))
    np.testing.assert_array_equal(direction_labels(candles, BARRIER), first_barrier(candles, BARRIER))
    assert len(first_barrier(candles_of(prices(6, 10)), BARRIER)) == 10
