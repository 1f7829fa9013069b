"""A small network that attends to features and to time, and can say what it looked at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from coordinator.learning.networks.base import LARGEST_LENGTH, SequenceNetwork
from coordinator.learning.sequences import gather_windows
from coordinator.types import Floats, Ints

__all__ = ["AttentionNetwork", "AttentionWeights", "mean_attention"]

BATCH = 256


@dataclass(frozen=True)
class AttentionWeights:
    """Where the attention of a set of predictions went; both sum to 1 along their last axis.

    Attributes
    ----------
    features : shape (n_features,) or (batch, n_features)
        Of each feature, weighted by the lags' attention.
    lags : shape (length,) or (batch, length)
        Of each candle, oldest first; the last one is the candle of the prediction.
    """

    features: Floats
    lags: Floats


class AttentionNetwork(SequenceNetwork):
    """Attention over the features of each candle, then from the last candle over the candles of its window.

    1. Over features: softmax(W x) gates the features of a candle, as the variable selection of Lim et al.,
       "Temporal Fusion Transformers", 2021.
    2. Over time: scaled dot-product attention with several heads (Vaswani et al., "Attention Is All You Need",
       2017) whose query is the last candle, with a learnt bias per lag and head instead of positions
       (Press et al., "Train Short, Test Long", 2022).
    3. The last candle beside what was attended to, normalised, then two dense layers.

    Everything before step 2 depends on one candle alone and is computed once for all windows that hold it, and
    ``steps`` sees exactly ``length`` candles at each candle.

    Parameters
    ----------
    n_features, n_classes : int
    width : int
        Numbers that describe a candle; a multiple of ``heads``.
    heads : int
    dropout : float
    """

    def __init__(
        self, n_features: int, n_classes: int = 3, width: int = 32, heads: int = 4, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.gate = nn.Linear(n_features, n_features)
        self.embed = nn.Linear(n_features, width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.lag_bias = nn.Parameter(torch.zeros(heads, LARGEST_LENGTH))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(
            nn.LayerNorm(2 * width), nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(dropout)
        )
        self.out = nn.Linear(width, n_classes)

    def steps(self, x: Tensor, length: int) -> Tensor:
        """See ``SequenceNetwork.steps``."""
        return self.attend(x, length)[0]

    def attend(self, x: Tensor, length: int) -> tuple[Tensor, Tensor, Tensor]:
        """Logits and both attentions.

        Returns
        -------
        logits : Tensor of shape (batch, targets, n_classes), targets = candles - length + 1
        over_features : Tensor of shape (batch, candles, n_features)
        over_time : Tensor of shape (batch, targets, heads, length), oldest candle first
        """
        batch, candles, n_features = x.shape
        targets, size = candles - length + 1, self.width // self.heads
        over_features = torch.softmax(self.gate(x), dim=-1)
        h = self.dropout(torch.relu(self.embed(x * over_features * n_features)))
        last = h[:, length - 1 :]
        query = self.query(last).view(batch, targets, self.heads, 1, size)
        pairs = self.key_value(h).unfold(1, length, 1)  # a view: (batch, targets, 2 width, length)
        key, value = pairs.view(batch, targets, 2, self.heads, size, length).unbind(2)
        score = (query @ key).squeeze(3) / size**0.5 + self.lag_bias[:, LARGEST_LENGTH - length :]
        over_time = torch.softmax(score, dim=-1)
        context = (value * over_time[..., None, :]).sum(dim=-1).flatten(2)
        logits: Tensor = self.out(self.head(torch.cat((last, context), dim=-1)))
        return logits, over_features, over_time


def mean_attention(network: AttentionNetwork, x: Tensor, ends: Ints, length: int) -> AttentionWeights:
    """Mean attention per feature and per lag over the predictions at the given rows.

    Parameters
    ----------
    x : Tensor of shape (n, n_features)
        Standardised features, as the network was trained on.
    ends : ndarray of int
        Rows that end complete sequences, at least one.
    """
    features = torch.zeros(x.shape[1], dtype=torch.float64)
    lags = torch.zeros(length, dtype=torch.float64)
    network.eval()
    with torch.inference_mode():
        for batch in torch.split(torch.as_tensor(ends), BATCH):
            _, over_features, over_time = network.attend(gather_windows(x, batch, length), length)
            time = over_time[:, 0].mean(dim=1)
            lags += time.double().sum(dim=0).cpu()
            features += (over_features * time[..., None]).double().sum(dim=(0, 1)).cpu()
    return AttentionWeights((features / len(ends)).numpy(), (lags / len(ends)).numpy())
