import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.learning.labels import CLASSES, forward_direction
from coordinator.settings import LearningSettings

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


def test_the_label_looks_forward():
    close = np.concatenate((prices(1, 300), prices(1, 300)[-1] * np.exp(0.01 * np.arange(1, 60))))
    label = forward_direction(close, S)
    assert label[300] == 1
    assert forward_direction(1 / close, S)[300] == -1


def test_all_three_classes_are_common_on_a_random_walk():
    label = forward_direction(prices(2, 5000), S)
    shares = [np.nanmean(label == c) for c in CLASSES]
    assert shares == pytest.approx([0.38, 0.31, 0.31], abs=0.06)
