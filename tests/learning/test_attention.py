import numpy as np
import pytest
import torch

from coordinator.learning.classifier import SequenceClassifier
from coordinator.learning.networks.attention import AttentionNetwork, mean_attention
from coordinator.learning.networks.transformer import TransformerNetwork
from coordinator.settings.learning import LearningSettings


def rows(n=60, features=5, seed=0):
    return torch.randn(n, features, generator=torch.Generator().manual_seed(seed))


def network(kind=AttentionNetwork):
    torch.manual_seed(1)
    return kind(5).eval()


both = pytest.mark.parametrize("kind", [AttentionNetwork, TransformerNetwork])


def test_both_attentions_sum_to_one():
    logits, over_features, over_time = network().attend(rows().view(3, 20, 5), 10)
    assert logits.shape == (3, 11, 3)
    assert over_features.shape == (3, 20, 5)
    assert over_time.shape == (3, 11, 4, 10)
    torch.testing.assert_close(over_features.sum(-1), torch.ones(3, 20))
    torch.testing.assert_close(over_time.sum(-1), torch.ones(3, 11, 4))


@both
def test_every_answer_of_a_longer_sequence_is_that_of_its_window_alone(kind):
    net, x = network(kind), rows(20).view(1, 20, 5)
    every = net.steps(x, 10)[0]
    alone = net(torch.stack([x[0, i : i + 10] for i in range(11)]))
    torch.testing.assert_close(every, alone)


@both
@pytest.mark.parametrize("lag", [0, 4, 9])
def test_every_candle_of_the_window_counts_and_none_outside_it(lag, kind):
    net, x = network(kind), rows(12).view(1, 12, 5)
    base = net.steps(x, 10)[0]
    changed = x.clone()
    changed[0, lag] += 3
    moved = (net.steps(changed, 10)[0] - base).abs().sum(-1) > 1e-6
    expected = [first <= lag < first + 10 for first in range(3)]
    assert moved.tolist() == expected


def test_it_finds_the_feature_and_the_lag_that_matter():
    """The label is the third feature five candles ago: the attention looks there, and says so."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6000, 6))
    signal = np.concatenate((np.zeros(5), x[:-5, 2]))
    y = np.where(signal > 0.4, 1.0, np.where(signal < -0.4, -1.0, 0.0))
    settings = LearningSettings(epochs=25, patience=8, learning_rate=4e-3)
    model = SequenceClassifier(settings, "attention").fit(x, y)
    assert model.metrics_["log_loss"] < 0.7 * model.metrics_["prior_log_loss"]
    weights = mean_attention(model.network_, model._standardise(x), np.arange(9, 6000), 10)
    assert weights.features.sum() == pytest.approx(1, abs=1e-5)
    assert weights.lags.sum() == pytest.approx(1, abs=1e-5)
    assert weights.features.argmax() == 2
    assert weights.lags.argmax() == 9 - 5


def test_a_classifier_says_what_it_attends_to():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 4))
    y = np.sign(x[:, 2])
    settings = LearningSettings(epochs=1, batch_size=64)
    found = SequenceClassifier(settings, "attention").fit(x, y).attention(x[-50:])
    assert sum(found["attention_features"].values()) == pytest.approx(1.0, abs=1e-6)
    assert sum(found["attention_lags"].values()) == pytest.approx(1.0, abs=1e-6)
    assert list(found["attention_lags"])[-1] == "0"  # the newest candle comes last
    assert SequenceClassifier(settings, "lstm").fit(x, y).attention(x[-50:]) == {}
