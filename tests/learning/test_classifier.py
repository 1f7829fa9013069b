import numpy as np
import pytest
import torch

from coordinator.errors import CoordinatorError
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.labels import CLASSES
from coordinator.learning.networks import LSTMNetwork
from coordinator.learning.sequences import complete_windows, gather_windows
from coordinator.settings import LearningSettings

FAST = LearningSettings(epochs=4, patience=2)


def learnable(seed=0, n=1500, features=6):
    """Labels that follow the mean of a feature's last three rows: a memory is needed, and enough."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    signal = np.convolve(x[:, 0], np.ones(3) / 3)[:n]
    return x, np.where(signal > 0.25, 1.0, np.where(signal < -0.25, -1.0, 0.0))


def test_the_documented_network():
    net = LSTMNetwork(31)
    shapes = {name: tuple(p.shape) for name, p in net.named_parameters()}
    assert shapes["lstm_1.weight_ih_l0"] == (4 * 128, 31)
    assert shapes["lstm_2.weight_ih_l0"] == (4 * 64, 128)
    assert shapes["head.0.weight"] == (64, 64)
    assert shapes["head.3.weight"] == (32, 64)
    assert shapes["head.6.weight"] == (3, 32)
    assert [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)] == [0.2, 0.3, 0.2]
    assert net(torch.zeros(5, 10, 31)).shape == (5, 3)


def test_it_learns_what_can_be_learnt_and_beats_the_constant():
    x, y = learnable()
    model = SequenceClassifier(LearningSettings(epochs=12, patience=3)).fit(x, y)
    new_x, new_y = learnable(seed=1)
    probabilities, usable = model.predict_proba(new_x)
    predicted = np.array(CLASSES)[probabilities[usable].argmax(axis=1)]
    accuracy = (predicted == new_y[usable]).mean()
    assert accuracy > 0.75
    constant = max(np.mean(new_y == c) for c in CLASSES)
    assert accuracy > constant + 0.2


def test_noise_labels_teach_nothing():
    """The control: on shuffled labels the accuracy on new rows is the constant's."""
    x, y = learnable()
    shuffled = np.random.default_rng(3).permutation(y)
    model = SequenceClassifier(FAST).fit(x, shuffled)
    new_x, new_y = learnable(seed=1)
    probabilities, usable = model.predict_proba(new_x)
    predicted = np.array(CLASSES)[probabilities[usable].argmax(axis=1)]
    assert (predicted == new_y[usable]).mean() < 0.50


def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_generator_alone():
    x, y = learnable(n=800)
    state = torch.random.get_rng_state()
    one, two = (SequenceClassifier(FAST).fit(x, y) for _ in range(2))
    assert torch.equal(state, torch.random.get_rng_state())
    for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True):
        assert torch.equal(a, b)
    other = SequenceClassifier(LearningSettings(epochs=4, patience=2, seed=7)).fit(x, y)
    pairs = zip(one.network_.parameters(), other.network_.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_early_stopping_keeps_the_best_weights():
    x, y = learnable(n=900)
    rng = np.random.default_rng(0)
    y = np.where(rng.random(len(y)) < 0.5, rng.choice([-1.0, 0.0, 1.0], len(y)), y)
    model = SequenceClassifier(LearningSettings(epochs=25, patience=2)).fit(x, y)
    losses = model.validation_loss_
    assert losses[model.best_epoch_] == min(losses)
    assert len(losses) < 25
    usable = np.flatnonzero(complete_windows(x, 10) & np.isfinite(y))
    _, validation = model._split(usable)
    counts = np.bincount([CLASSES.index(int(c)) for c in y[model._split(usable)[0]]], minlength=3)
    loss = torch.nn.CrossEntropyLoss(weight=torch.tensor(counts.sum() / (3 * counts)).float())
    target = torch.tensor([CLASSES.index(int(c)) for c in y[validation]])
    again = model._loss(
        model._standardise(x), _scatter(len(y), validation, target), torch.tensor(validation), loss
    )
    assert again == pytest.approx(min(losses), rel=1e-5)


def _scatter(n, rows, values):
    out = torch.zeros(n, dtype=torch.long)
    out[torch.tensor(rows)] = values
    return out


def test_training_is_purged_before_the_validation_slice():
    """Labels of the last training rows would look into the validation rows: those rows are gone."""
    settings = LearningSettings(label_horizon=24)
    train, validation = SequenceClassifier(settings)._split(np.arange(1000))
    assert validation[0] - train[-1] == 25
    assert len(validation) == 150


def test_rows_with_nan_end_no_sequence_and_are_part_of_none():
    x, y = learnable(n=800)
    x[400, 2] = np.nan
    model = SequenceClassifier(FAST).fit(x, y)
    probabilities, usable = model.predict_proba(x)
    assert not usable[:9].any()
    assert not usable[400:410].any()
    assert usable[410:].all()
    assert np.isnan(probabilities[~usable]).all()
    np.testing.assert_allclose(probabilities[usable].sum(axis=1), 1, atol=1e-9)


def test_one_row_predicts_what_the_whole_window_does():
    """Live predicts the last row, a backtest the window: the same numbers."""
    x, y = learnable(n=800)
    model = SequenceClassifier(FAST).fit(x, y)
    whole, _ = model.predict_proba(x)
    for end in (10, 123, 799):
        alone, _ = model.predict_proba(x[end - 9 : end + 1])
        np.testing.assert_allclose(alone[-1], whole[end], atol=1e-6)


def test_predicting_changes_nothing():
    x, y = learnable(n=800)
    model = SequenceClassifier(FAST).fit(x, y)
    before, copy = {k: v.clone() for k, v in model.network_.state_dict().items()}, x.copy()
    model.predict_proba(x)
    np.testing.assert_array_equal(x, copy)
    assert all(torch.equal(v, before[k]) for k, v in model.network_.state_dict().items())


def test_too_little_to_learn_from_is_an_error():
    x, y = learnable(n=200)
    with pytest.raises(CoordinatorError, match="at least 200 labelled sequences"):
        SequenceClassifier(FAST).fit(x, y)


def test_windows_are_the_rows_before():
    x = torch.arange(20.0).reshape(10, 2)
    got = gather_windows(x, np.array([4, 9]), 3)
    assert got.shape == (2, 3, 2)
    assert torch.equal(got[0], x[2:5])
    assert torch.equal(got[1], x[7:10])
