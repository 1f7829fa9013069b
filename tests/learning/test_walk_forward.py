import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.errors import CoordinatorError
from coordinator.learning.walk_forward import newest_slice, purged_training, quarter_edges, walk_forward

HOUR = 3600


def random_signals(seed, n=400):
    rng = np.random.default_rng(seed)
    time = rng.integers(0, 2000, n) * HOUR  # not sorted on purpose
    outcome = time + rng.integers(1, 60, n) * HOUR
    return time, np.where(rng.random(n) < 0.05, -1, outcome)


@given(seed=st.integers(0, 10**6), embargo=st.integers(0, 100), rolling=st.sampled_from([0, 500]))
def test_no_training_label_reaches_the_test_slice_or_its_embargo(seed, embargo, rolling):
    time, outcome = random_signals(seed)
    folds = walk_forward(
        time,
        outcome,
        np.array([800, 1200, 1600, 2000]) * HOUR,
        train_seconds=rolling * HOUR,
        embargo_seconds=embargo * HOUR,
        minimum=1,
    )
    assert [fold.start for fold in folds] == [800 * HOUR, 1200 * HOUR, 1600 * HOUR]
    for fold in folds:
        known = (outcome >= 0) & (outcome < fold.start - embargo * HOUR)
        known &= (time >= fold.start - rolling * HOUR) | (rolling == 0)
        np.testing.assert_array_equal(fold.train, np.flatnonzero(known))
        assert not set(fold.train) & set(fold.test)
        assert (outcome[fold.train] >= 0).all()
        assert (outcome[fold.train] < fold.start - embargo * HOUR).all()
        assert (time[fold.train] < fold.start).all()
        assert ((time[fold.test] >= fold.start) & (time[fold.test] < fold.end)).all()
        if rolling:
            assert (time[fold.train] >= fold.start - rolling * HOUR).all()


def test_purging_removes_exactly_the_rows_whose_outcome_was_not_known():
    time, outcome = random_signals(1)
    start = 1000 * HOUR
    (fold,) = walk_forward(time, outcome, np.array([start, 1500 * HOUR]), minimum=1)
    expected = np.flatnonzero((outcome >= 0) & (outcome < start))
    np.testing.assert_array_equal(fold.train, expected)
    overlapping = (time < start) & (outcome >= start)
    assert overlapping.any(), "the test shows nothing without such rows"
    assert not overlapping[fold.train].any()


@given(seed=st.integers(0, 10**6), embargo=st.integers(0, 50))
def test_rows_after_the_slice_wait_for_its_outcomes_and_the_embargo(seed, embargo):
    time, outcome = random_signals(seed)
    start, end = 800 * HOUR, 1200 * HOUR
    train = purged_training(time, outcome, start, end, embargo * HOUR)
    tested = (time >= start) & (time < end)
    reach = outcome[tested].max()
    assert not (train & tested).any()
    later = train & (time >= end)
    assert (time[later] > reach + embargo * HOUR).all()
    assert later.any()


def test_test_slices_do_not_overlap_and_small_folds_are_left_out():
    time, outcome = random_signals(2)
    edges = np.arange(0, 2001, 250) * HOUR
    folds = walk_forward(time, outcome, edges, minimum=100)
    assert 0 < len(folds) < 8
    tested = np.concatenate([fold.test for fold in folds])
    assert len(tested) == len(set(tested))
    sizes = [len(fold.train) for fold in folds]
    assert sizes == sorted(sizes) and sizes[0] >= 100


def test_the_newest_slice_is_the_newest_and_purged():
    time, outcome = random_signals(3)
    now = 1800 * HOUR
    fold = newest_slice(time, outcome, now, 400 * HOUR, embargo_seconds=10 * HOUR)
    assert (fold.start, fold.end) == (1400 * HOUR, now)
    assert (outcome[fold.train] < fold.start - 10 * HOUR).all()
    assert (time[fold.test] >= fold.start).all() and time[fold.test].min() >= time[fold.train].max()
    assert ((outcome[fold.test] >= 0) & (outcome[fold.test] < now)).all(), "known before now"
    short = newest_slice(time, outcome, now, 400 * HOUR, share=0.2, train_seconds=500 * HOUR)
    assert short.start == pytest.approx(now - 360 * HOUR, abs=5 * HOUR)
    assert time[short.train].min() >= short.start - 500 * HOUR
    later = newest_slice(time, outcome, now, 400 * HOUR, not_before=1500 * HOUR, minimum=20)
    assert later.start == 1500 * HOUR
    assert newest_slice(time, outcome, now, 400 * HOUR, not_before=now) is None
    assert newest_slice(time[:60], outcome[:60], now, 400 * HOUR) is None
    assert newest_slice(time[:0], outcome[:0], now, 400 * HOUR) is None


@pytest.mark.parametrize("edges", [[5], [5, 5], [9, 5]])
def test_edges_must_ascend(edges):
    with pytest.raises(CoordinatorError, match="ascending"):
        walk_forward(np.array([1]), np.array([2]), np.array(edges))


def test_quarters():
    assert len(quarter_edges("2021-07", "2024-01")) == 11
