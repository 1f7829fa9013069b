import numpy as np
import pytest
import torch

from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.networks.registry import build_network
from coordinator.learning.networks.transformer import TransformerNetwork, sinusoidal_positions
from coordinator.settings.learning import LearningSettings


def test_the_documented_positions():
    """Vaswani et al. 2017, section 3.5: sin(p / 10000^(2i/d)) and its cosine beside each other."""
    positions = sinusoidal_positions(20, 8)
    assert positions.shape == (20, 8)
    for p in (0, 1, 19):
        for i in range(4):
            angle = p / 10_000 ** (2 * i / 8)
            assert positions[p, 2 * i].item() == pytest.approx(np.sin(angle), abs=1e-5)
            assert positions[p, 2 * i + 1].item() == pytest.approx(np.cos(angle), abs=1e-5)


@pytest.mark.parametrize("changed", [0, 4, 9])
def test_no_candle_sees_a_later_one(changed):
    torch.manual_seed(1)
    net, x = TransformerNetwork(5, layers=3).eval(), torch.randn(2, 10, 32)
    before, other = net.encode(x, 10), x.clone()
    other[:, changed] = torch.randn(32)
    moved = ((net.encode(other, 10) - before).abs().sum(-1) > 1e-6)[0]
    assert moved.tolist() == [candle >= changed for candle in range(10)]
    torch.testing.assert_close(
        net.encode(x, 1)[:, 0], before[:, -1]
    )  # leaving the others out changes nothing


def test_the_sizes_are_settings():
    settings = LearningSettings(
        attention_width=16,
        attention_heads=2,
        attention_dropout=0.3,
        transformer_layers=3,
        transformer_feedforward=24,
    )
    net = build_network("transformer", 31, settings)
    shapes = {name: tuple(p.shape) for name, p in net.named_parameters()}
    assert shapes["embed.weight"] == (16, 31)
    assert shapes["layers.2.query.weight"] == (16, 16)
    assert shapes["layers.2.feedforward.0.weight"] == (24, 16)
    assert "layers.3.query.weight" not in shapes
    assert {layer.heads for layer in net.layers} == {2}
    assert {m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)} == {0.3}
    assert not torch.equal(net.layers[0].query.weight, net.layers[1].query.weight)
    assert net(torch.zeros(5, 10, 31)).shape == (5, 3)


def test_it_finds_the_feature_and_the_lag_that_matter():
    """The label is the third feature five candles ago: without positions nobody could tell."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 4))
    signal = np.concatenate((np.zeros(5), x[:-5, 2]))
    y = np.where(signal > 0.4, 1.0, np.where(signal < -0.4, -1.0, 0.0))
    settings = LearningSettings(
        epochs=12,
        patience=12,
        learning_rate=4e-3,
        batch_size=64,
        attention_width=16,
        transformer_feedforward=32,
    )
    model = SequenceClassifier(settings, "transformer").fit(x, y)
    assert model.metrics_["log_loss"] < 0.7 * model.metrics_["prior_log_loss"]
    assert model.attention(x[-50:]) == {}
