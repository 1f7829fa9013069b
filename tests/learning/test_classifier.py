import numpy as np
import pytest
import torch

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import decode, encode, read, write
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.labels import CLASSES
from coordinator.learning.networks.lstm import LSTMNetwork
from coordinator.learning.networks.registry import NETWORKS
from coordinator.learning.sequences import gather_windows
from coordinator.learning.temperature import fit_temperature
from coordinator.settings.learning import LearningSettings
from coordinator.signals.feature_schema import FeatureSchema

FAST = LearningSettings(epochs=4, patience=2)


def learnable(seed=0, n=1500, features=6):
    """Labels that follow the mean of a feature's last three rows: a memory is needed, and enough."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    signal = np.convolve(x[:, 0], np.ones(3) / 3)[:n]
    return x, np.where(signal > 0.25, 1.0, np.where(signal < -0.25, -1.0, 0.0))


def split_of(x, y, settings):
    data = pool([Block(x, y)], settings.label_horizon)
    return split_by_time(data, settings.sequence_length, settings.validation_share, settings.promotion_share)


def untempered(model, x):
    """What the network alone says: the softmax of its logits, shape (n, 3)."""
    powers = model.predict_proba(x)[0] ** model.temperature_
    return powers / powers.sum(axis=1, keepdims=True)


def noisy(n=1500, seed=0, wrong=0.5):
    """As ``learnable``, half of the labels dealt out at random."""
    x, y = learnable(seed, n)
    rng = np.random.default_rng(seed + 100)
    return x, np.where(rng.random(n) < wrong, rng.choice([-1.0, 0.0, 1.0], n), y)


def test_the_documented_network():
    assert (LearningSettings().sequence_length, CLASSES) == (10, (0, 1, -1))  # HOLD, BUY, SELL
    net = LSTMNetwork(31)
    shapes = {name: tuple(p.shape) for name, p in net.named_parameters()}
    assert shapes["lstm_1.weight_ih_l0"] == (4 * 128, 31)
    assert shapes["lstm_2.weight_ih_l0"] == (4 * 64, 128)
    assert shapes["head.0.weight"] == (64, 64)
    assert shapes["head.3.weight"] == (32, 64)
    assert shapes["head.6.weight"] == (3, 32)
    assert not [name for name in shapes if name.startswith("lstm") and not name.endswith("_l0")]
    assert [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)] == [0.2, 0.3, 0.2]
    layers = [type(layer).__name__ for layer in net.head]
    assert layers == ["Linear", "ReLU", "Dropout"] * 2 + ["Linear"]
    passed, dropped = [], []
    net.dropout.register_forward_hook(lambda *about: dropped.append(about[2].shape[2]))
    for layer in net.head:
        layer.register_forward_hook(lambda module, _, out: passed.append(type(module).__name__))
    assert net(torch.zeros(5, 10, 31)).shape == (5, 3)
    assert (passed, dropped) == (layers, [128, 64])
    net.eval()
    x = torch.randn((1, 10, 31), generator=torch.Generator().manual_seed(0))
    other = x.clone()
    other[:, 0] += 1.0
    assert not torch.equal(net(other), net(x))  # it remembers the first candle at the last


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
    x, y = noisy(n=900)
    model = SequenceClassifier(LearningSettings(epochs=80, patience=2)).fit(x, y)
    losses = model.validation_loss_
    assert losses[model.best_epoch_] == min(losses)
    assert len(losses) < 80
    split = split_of(x, y, model.settings)
    probabilities = untempered(model, x)
    classes = np.array([CLASSES.index(int(c)) for c in y])
    counts = np.bincount(classes[split.train], minlength=3)
    weight = (len(split.train) / (3 * counts))[classes[split.validation]]
    loss = -np.log(probabilities[split.validation, classes[split.validation]])
    assert (weight * loss).sum() / weight.sum() == pytest.approx(min(losses), rel=1e-5)


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


@pytest.mark.parametrize("network", NETWORKS)
def test_one_row_predicts_what_the_whole_window_does(network):
    """Live predicts the last row, a backtest the window: the same numbers, bit for bit."""
    x, y = learnable(n=800)
    model = SequenceClassifier(FAST, network).fit(x, y)
    whole, _ = model.predict_proba(x)
    for end in (*range(9, 800, 13), 799):
        alone, _ = model.predict_proba(x[end - 9 : end + 1])
        np.testing.assert_array_equal(alone[-1], whole[end])


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
    with pytest.raises(CoordinatorError, match="one of lstm, attention"):
        SequenceClassifier(FAST, "oracle").fit(*learnable(n=400))


@pytest.mark.parametrize("network", NETWORKS)
def test_two_runs_write_the_same_file(network, tmp_path):
    x, y = learnable(n=700)
    schema = FeatureSchema(tuple("abcdef"), 1)
    hashes = set()
    for run in range(2):
        model = SequenceClassifier(FAST, network).fit_pooled([Block(x, y)], schema)
        hashes.add(write(model.to_artefact(), tmp_path / f"{run}.safetensors"))
    assert len(hashes) == 1
    assert (tmp_path / "0.safetensors").read_bytes() == (tmp_path / "1.safetensors").read_bytes()


@pytest.mark.parametrize("network", NETWORKS)
def test_a_model_read_back_predicts_the_same_bits_and_writes_the_same_file(network, tmp_path):
    x, y = learnable(n=700)
    model = SequenceClassifier(FAST, network).fit(x, y)
    first = write(model.to_artefact(), tmp_path / "model.safetensors")
    again = SequenceClassifier.from_artefact(read(tmp_path / "model.safetensors"))
    np.testing.assert_array_equal(again.predict_proba(x)[0], model.predict_proba(x)[0])
    assert write(again.to_artefact(), tmp_path / "again.safetensors") == first
    assert again.temperature_ == model.temperature_ != 1.0
    assert again.metrics_ == model.metrics_
    assert again.settings == model.settings


def test_columns_are_found_by_name(caplog):
    x, y = learnable(n=700)
    model = SequenceClassifier(FAST).fit_pooled([Block(x, y)], FeatureSchema(tuple("abcdef"), 1))
    order = [3, 1, 0, 5, 4, 2]
    shuffled = np.column_stack((x[:, order], np.full(len(x), np.nan)))
    names = [*("abcdef"[i] for i in order), "extra"]
    np.testing.assert_array_equal(model.predict_proba(shuffled, names)[0], model.predict_proba(x)[0])
    assert "aligned by name (1 others left out)" in caplog.text
    with pytest.raises(CoordinatorError, match="hold f"):
        model.predict_proba(x[:, :5], list("abcde"))


def pooled(seed):
    """Two pairs whose labels follow their own first feature; the second starts 300 candles later."""
    blocks = []
    for pair, n in enumerate((900, 600)):
        x, y = learnable(seed + pair, n)
        times = 3600 * (np.arange(n) + 300 * pair)
        blocks.append(Block(x, y, times))
    return blocks


def test_one_model_learns_from_several_pairs():
    model = SequenceClassifier(LearningSettings(epochs=12, patience=3)).fit_pooled(pooled(0))
    new_x, new_y = learnable(seed=9)
    probabilities, usable = model.predict_proba(new_x)
    accuracy = (np.array(CLASSES)[probabilities[usable].argmax(axis=1)] == new_y[usable]).mean()
    assert accuracy > 0.7
    assert model.metrics_["log_loss"] < model.metrics_["prior_log_loss"] - 0.2


def test_what_comes_after_the_training_rows_changes_no_weight_but_the_stop():
    """Scramble the validation slice: the scaling and the weights of a given number of epochs stay."""
    settings = LearningSettings(epochs=1, patience=1)
    x, y = learnable(n=900)
    later = split_of(x, y, settings).train[-1] + 1
    other_x, other_y = x.copy(), y.copy()
    other_x[later:], other_y[later:] = 7 * other_x[later:][::-1], other_y[later:][::-1]
    one, two = SequenceClassifier(settings).fit(x, y), SequenceClassifier(settings).fit(other_x, other_y)
    np.testing.assert_array_equal(one.mean_, two.mean_)
    np.testing.assert_array_equal(one.scale_, two.scale_)
    for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_rows_that_judge_change_no_weight_and_no_temperature(network):
    x, y = noisy(n=900)
    split = split_of(x, y, FAST)
    later = split.validation[-1] + FAST.label_horizon + 1
    assert later == split.promotion[0]
    other_x, other_y = x.copy(), y.copy()
    other_x[later:], other_y[later:] = 7 * x[later:][::-1], -y[later:]
    files = [
        encode(SequenceClassifier(FAST, network).fit(*data).to_artefact())
        for data in ((x, y), (other_x, other_y))
    ]
    assert files[0] == files[1]


def test_a_network_that_is_too_sure_is_tempered_on_rows_that_it_was_not_fitted_to(monkeypatch):
    """Long training on noise: every epoch is kept, so that the network is far too sure of itself."""
    monkeypatch.setattr("coordinator.learning.trainer._copy", lambda network: network.state_dict())
    settings = LearningSettings(epochs=40, patience=40, balance_classes=False, learning_rate=3e-3)
    x, y = noisy(n=1500)
    model = SequenceClassifier(settings).fit(x, y)
    metrics = model.metrics_
    assert metrics["temperature"] == model.temperature_ > 1.3
    assert metrics["log_loss"] < metrics["log_loss_untempered"] - 0.05
    assert metrics["calibration_error"] < metrics["calibration_error_untempered"] - 0.05
    probabilities, usable = model.predict_proba(x)
    before = untempered(model, x)
    np.testing.assert_array_equal(probabilities[usable].argmax(axis=1), before[usable].argmax(axis=1))
    assert (probabilities[usable].max(axis=1) < before[usable].max(axis=1)).all()
    rows = split_of(x, y, settings).validation
    truth = np.array([CLASSES.index(int(c)) for c in y[rows]])
    for name, p in (("log_loss", probabilities), ("log_loss_untempered", before)):
        assert -np.log(p[rows, truth]).mean() == pytest.approx(metrics[name], rel=1e-4)
    new_x, new_y = noisy(n=1500, seed=5)
    truth = np.array([CLASSES.index(int(c)) for c in new_y[9:]])
    says = model.predict_proba(new_x)[0], untempered(model, new_x)
    after, alone = (-np.log(p[np.arange(9, len(p)), truth]).mean() for p in says)
    assert after < alone - 0.05


def test_balanced_classes_weight_the_training_and_not_the_temperature():
    """Few BUYs and SELLs: the network hears them as often as HOLDs, its temperature is that of rows as they come."""
    x, y = noisy(n=2000)
    rng = np.random.default_rng(2)
    y = np.where(rng.random(len(y)) < 0.7, 0.0, y)
    model = SequenceClassifier(FAST).fit(x, y)
    rows = split_of(x, y, FAST).validation
    logits, truth = np.log(untempered(model, x)[rows]), np.array([CLASSES.index(int(c)) for c in y[rows]])
    assert model.temperature_ == pytest.approx(fit_temperature(logits, truth), rel=1e-4)


def test_rows_of_weight_zero_teach_nothing():
    """Wrong labels on half the rows, weighted 0, do not keep it from learning the right ones."""
    x, y = learnable(n=3000)
    wrong = np.random.default_rng(5).random(len(y)) < 0.5
    labels, weights = np.where(wrong, -y, y), np.where(wrong, 0.0, 1.0)
    settings = LearningSettings(epochs=12, patience=3, targets_per_sequence=4)
    model = SequenceClassifier(settings).fit_pooled([Block(x, labels, weights=weights)])
    new_x, new_y = learnable(seed=1)
    probabilities, usable = model.predict_proba(new_x)
    assert (np.array(CLASSES)[probabilities[usable].argmax(axis=1)] == new_y[usable]).mean() > 0.7


def test_a_warm_start_begins_where_the_last_window_ended():
    x, y = learnable(n=1500)
    first = SequenceClassifier(LearningSettings(epochs=12, patience=3)).fit(x, y)
    short = LearningSettings(epochs=1)
    new = learnable(seed=3, n=900)
    cold = SequenceClassifier(short).fit(*new)
    warm = SequenceClassifier(short).fit_pooled([Block(*new)], previous=first)
    assert warm.validation_loss_[0] < cold.validation_loss_[0] - 0.2
    stranger = SequenceClassifier(short, "attention").fit_pooled([Block(*new)], previous=first)
    assert stranger.validation_loss_ == SequenceClassifier(short, "attention").fit(*new).validation_loss_


def test_the_artefact_survives_its_bytes():
    x, y = learnable(n=500)
    artefact = SequenceClassifier(LearningSettings(epochs=1)).fit(x, y).to_artefact()
    again = decode(encode(artefact))
    assert (again.kind, again.schema, again.about) == (artefact.kind, artefact.schema, artefact.about)
    assert all(torch.equal(again.tensors[name], artefact.tensors[name]) for name in artefact.tensors)


def test_windows_are_the_rows_before():
    x = torch.arange(20.0).reshape(10, 2)
    got = gather_windows(x, np.array([4, 9]), 3)
    assert got.shape == (2, 3, 2)
    assert torch.equal(got[0], x[2:5])
    assert torch.equal(got[1], x[7:10])
    assert LearningSettings().sequence_length == 10
