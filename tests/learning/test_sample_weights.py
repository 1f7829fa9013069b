import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.learning.sample_weights import age_weights, average_uniqueness, class_weights, sample_weights
from coordinator.settings.quality import QualitySettings


def by_hand(time, outcome, step):
    """Lopez de Prado's snippets 4.1 and 4.2, candle by candle."""
    spans = [
        range(t // step + 1, max(o // step, t // step + 1) + 1) for t, o in zip(time, outcome, strict=True)
    ]
    alive = {}
    for span in spans:
        for candle in span:
            alive[candle] = alive.get(candle, 0) + 1
    return np.array([np.mean([1 / alive[candle] for candle in span]) for span in spans])


@given(seed=st.integers(0, 10**6), n=st.integers(1, 40))
def test_uniqueness_is_that_of_the_book(seed, n):
    rng = np.random.default_rng(seed)
    time = rng.integers(0, 60, n) * 3600
    outcome = time + rng.integers(1, 20, n) * 3600
    found = average_uniqueness(time, outcome, 3600)
    np.testing.assert_allclose(found, by_hand(time, outcome, 3600), atol=1e-9)
    assert ((found > 0) & (found <= 1 + 1e-9)).all()


def test_alone_is_unique_and_twins_count_half():
    time, outcome = np.array([0, 0, 36000]), np.array([7200, 7200, 43200])
    assert average_uniqueness(time, outcome, 3600).tolist() == pytest.approx([0.5, 0.5, 1.0])
    grouped = average_uniqueness(time, outcome, 3600, np.array([0, 1, 1]))
    assert grouped.tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_age_halves_and_zero_means_off():
    time = np.array([0, 10, 20]) * 86400
    assert age_weights(time, 10.0).tolist() == [0.25, 0.5, 1.0]
    assert age_weights(time, 0.0).tolist() == [1.0, 1.0, 1.0]


def test_class_weights_balance_and_do_nothing_with_one_class():
    y = np.array([1.0, 0.0, 0.0, 0.0])
    weight = class_weights(y)
    assert weight[0] == pytest.approx(weight[1:].sum())
    assert class_weights(np.ones(3)).tolist() == [1.0, 1.0, 1.0]


def test_the_settings_choose_and_the_mean_is_one():
    rng = np.random.default_rng(0)
    time = np.sort(rng.integers(0, 1000, 200)) * 3600
    outcome, y = time + 3600 * rng.integers(1, 48, 200), (rng.random(200) < 0.3).astype(float)
    off = QualitySettings(uniqueness=False)
    assert (sample_weights(time, outcome, y, 3600, off) == 1).all()
    for settings in (QualitySettings(), QualitySettings(half_life_days=5.0, balanced=True)):
        weight = sample_weights(time, outcome, y, 3600, settings)
        assert weight.mean() == pytest.approx(1.0) and weight.min() > 0 and weight.std() > 0
