import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.decision.percentile import causal_percentile
from coordinator.decision.rank_window import RankWindow

numbers = st.lists(st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(-2, 2)), max_size=150)


@given(values=numbers, window=st.integers(3, 40), prior=st.integers(1, 30))
def test_one_by_one_equals_all_at_once_to_the_bit(values, window, prior):
    one = RankWindow(window, prior, low=-1.0)
    got = [one.push(value) for value in values]
    expected = causal_percentile(
        np.arange(len(values)), np.array(values, dtype=float), window=window, prior=prior, low=-1.0
    )
    assert got == expected.tolist()


@given(values=numbers, cut=st.integers(0, 150))
def test_it_goes_on_from_its_stored_values(values, cut):
    whole = RankWindow(20, 5)
    expected = [whole.push(value) for value in values]
    first = RankWindow(20, 5)
    got = [first.push(value) for value in values[:cut]]
    second = RankWindow(20, 5, values=first.values)
    assert got + [second.push(value) for value in values[cut:]] == expected


@given(values=numbers, value=st.floats(-2, 2))
def test_ranking_changes_nothing_and_memory_is_bounded(values, value):
    window = RankWindow(10, 5)
    for each in values:
        window.push(each)
    before = window.values
    assert window.rank(value) == window.rank(value)
    assert window.values == before
    assert len(window) == min(len(values), 10) == len(window._sorted)


def test_ranks_are_monotone():
    window = RankWindow(100, 50, values=np.random.default_rng(0).random(80))
    ranks = [window.rank(value) for value in np.linspace(-0.5, 1.5, 50)]
    assert ranks == sorted(ranks)
    assert ranks[0] == pytest.approx(0)
    assert ranks[-1] == pytest.approx(1)
