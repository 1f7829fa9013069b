from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.errors import CoordinatorError
from coordinator.learning.blocks import Block, TooFewRowsError, label_ends, pool, split_by_time


def block(n, start=0, step=3600, features=2):
    rng = np.random.default_rng(n + start)
    return Block(rng.normal(size=(n, features)), rng.choice([-1.0, 0, 1], n), start + step * np.arange(n))


def test_each_slice_is_purged_before_the_next():
    """Labels of a slice's last rows would look into the next one's rows: those rows are gone."""
    rows = pool([Block(np.zeros((1000, 2)), np.zeros(1000))], 24)
    split = split_by_time(rows, 1, 0.15, 0.10)
    np.testing.assert_array_equal(split.train, np.arange(750 - 24))
    np.testing.assert_array_equal(split.validation, np.arange(750, 900 - 24))
    np.testing.assert_array_equal(split.promotion, np.arange(900, 1000))


@given(
    lengths=st.lists(st.integers(20, 120), min_size=2, max_size=4),
    starts=st.lists(st.integers(0, 50), min_size=4, max_size=4),
    horizon=st.integers(1, 20),
    gap=st.integers(0, 15),
)
def test_no_label_of_any_pair_looks_into_the_next_slice(lengths, starts, horizon, gap):
    blocks = []
    for n, start in zip(lengths, starts, strict=False):
        part = block(n, 3600 * start)
        times = part.times.copy()
        times[n // 2 :] += 3600 * gap  # an outage
        blocks.append(Block(part.features, part.labels, times))
    rows = pool(blocks, horizon)
    split = split_by_time(rows, 5, 0.2, 0.1)
    slices = [index for index in (split.train, split.validation, split.promotion) if len(index)]
    assert len(split.promotion)
    for earlier, later in pairwise(slices):
        cut = rows.times[later].min()
        assert rows.label_end[earlier].max() < cut
        assert rows.times[earlier].max() < cut
    for index in slices:
        assert (rows.run[index] >= 5).all()
    assert sum(map(len, slices)) == len(set().union(*map(set, slices)))


def test_a_label_of_known_end_is_purged_by_that_end():
    part = block(200)
    early = Block(part.features, part.labels, part.times, label_end=part.times)
    late = Block(part.features, part.labels, part.times, label_end=part.times + 3600 * 40)
    last = [split_by_time(pool([b], 12), 1, 0.2, 0.1).train[-1] for b in (early, late)]
    assert last == [139, 99]


def test_rows_behind_the_data_end_at_the_time_they_would():
    np.testing.assert_array_equal(label_ends(np.arange(5) * 60, 2), [120, 180, 240, 300, 360])


def test_runs_start_anew_in_every_pair_and_after_nan():
    one, two = block(6), block(5, 7)
    one.features[2, 1] = np.nan
    np.testing.assert_array_equal(pool([one, two], 1).run, [1, 2, 0, 1, 2, 3, 1, 2, 3, 4, 5])


def test_what_does_not_fit_is_an_error():
    with pytest.raises(CoordinatorError, match="one number of features"):
        pool([block(5), block(5, features=3)], 1)
    with pytest.raises(TooFewRowsError, match="be there"):
        pool([], 1)
    with pytest.raises(CoordinatorError, match="'times'"):
        pool([block(5), Block(np.zeros((5, 2)), np.zeros(5))], 1)
    with pytest.raises(CoordinatorError, match="have 5 rows"):
        pool([Block(np.zeros((5, 2)), np.zeros(4))], 1)


def test_nothing_labelled_is_an_empty_split():
    part = block(50)
    split = split_by_time(pool([Block(part.features, np.full(50, np.nan))], 3), 5, 0.2, 0.1)
    assert len(split.train) == len(split.validation) == len(split.promotion) == 0
