import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coordinator.learning.complete_rows import complete_windows, finite_run_lengths
from coordinator.learning.networks.lstm import LSTMNetwork
from coordinator.learning.sequences import sequence_view
from coordinator.learning.trainer import Rows, _Batches, choose_device, size_threads
from coordinator.settings.learning import LearningSettings


def numbered(n, run=None, train=None):
    """Rows whose single feature is their number, so that a batch shows where it came from."""
    run = np.arange(1, n + 1) if run is None else run
    train = np.arange(n) if train is None else train
    return Rows(
        x=torch.arange(n, dtype=torch.float32)[:, None].contiguous(),
        y=torch.arange(n),
        weight=torch.ones(n),
        run=torch.as_tensor(run),
        train=torch.as_tensor(train),
        validation=torch.arange(0),
    )


def answered(batches, k):
    """(row, sequence) of every answer with a weight in one epoch."""
    for x, y, weight in batches.epoch():
        y, weight = y.view(-1, k), weight.view(-1, k)
        for sequence, rows, weights in zip(x[..., 0], y, weight, strict=True):
            for offset in torch.nonzero(weights)[:, 0]:
                yield int(rows[offset]), int(offset), sequence


@given(n=st.integers(40, 150), k=st.integers(1, 16), length=st.integers(5, 12), broken=st.integers(0, 149))
def test_every_answer_is_to_its_own_candles_and_none_comes_twice(n, k, length, broken):
    """The sequence up to a row is the rows before it, unbroken, at least ``length`` of them."""
    torch.manual_seed(n)
    run = np.arange(1, n + 1)
    if broken < n:
        run[broken:] = np.arange(n - broken)
    settings = LearningSettings(targets_per_sequence=k, sequence_length=length, batch_size=32)
    batches = _Batches(numbered(n, run), settings)
    seen = []
    for row, offset, sequence in answered(batches, batches.k):
        own = sequence[: length + offset]
        assert torch.equal(own, torch.arange(row - length - offset + 1, row + 1, dtype=torch.float32))
        assert run[row] >= length + offset
        seen.append(row)
    assert len(seen) == len(set(seen))


def test_no_row_is_left_out_over_the_epochs():
    torch.manual_seed(0)
    rows = numbered(60, train=np.arange(9, 41))
    batches = _Batches(rows, LearningSettings(targets_per_sequence=4, batch_size=8))
    seen = {row for _ in range(40) for row, _, _ in answered(batches, 4)}
    assert seen == set(range(9, 41))
    once = {row for row, _, _ in answered(batches, 4)}
    assert len(once) >= 32 - 3


def test_sparse_rows_are_trained_alone():
    rows = numbered(4000, train=np.arange(10, 4000, 20))
    assert _Batches(rows, LearningSettings()).k == 1
    assert _Batches(numbered(400), LearningSettings()).k == 16


def test_a_sequence_view_copies_nothing():
    x = torch.zeros(50, 3)
    view = sequence_view(x, 10)
    assert view.shape == (41, 10, 3)
    assert view.data_ptr() == x.data_ptr()
    assert view.untyped_storage().nbytes() == x.untyped_storage().nbytes()
    by_column = torch.arange(20.0).reshape(2, 10).T
    assert torch.equal(sequence_view(by_column, 3)[4], by_column[4:7])


def test_a_network_answers_at_every_candle_of_a_longer_sequence():
    """The first answer of ``steps`` is that of the window alone."""
    net = LSTMNetwork(3).eval()
    x = torch.randn(4, 17, 3, generator=torch.Generator().manual_seed(1))
    every = net.steps(x, 10)
    assert every.shape == (4, 8, 3)
    torch.testing.assert_close(every[:, 0], net(x[:, :10]))
    torch.testing.assert_close(every[:, -1], net(x))


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 12))
def test_runs_count_the_finite_rows(finite, length):
    features = np.where(np.array(finite, dtype=bool)[:, None], 1.0, np.nan).reshape(len(finite), 1)
    expected, count = [], 0
    for ok in finite:
        count = count + 1 if ok else 0
        expected.append(count)
    np.testing.assert_array_equal(finite_run_lengths(features), np.array(expected, dtype=int))
    np.testing.assert_array_equal(complete_windows(features, length), np.array(expected, dtype=int) >= length)


def test_the_device_is_a_gpu_only_where_there_is_one():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_threads_are_set_once():
    before = torch.get_num_threads()
    try:
        size_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_heads_divide_the_width():
    with pytest.raises(ValueError, match="attention_heads must divide attention_width"):
        LearningSettings(attention_width=30, attention_heads=4)
