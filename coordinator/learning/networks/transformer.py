"""A transformer encoder over the candles of a sequence."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from coordinator.learning.networks.base import LARGEST_LENGTH, SequenceNetwork

__all__ = ["TransformerNetwork", "sinusoidal_positions"]

WAVELENGTH = 10_000.0  # of the slowest sinusoid, times 2 pi (Vaswani et al. 2017)


class TransformerNetwork(SequenceNetwork):
    """Encoder layers in which a candle sees itself and the earlier ones of its window.

    Vaswani et al., "Attention Is All You Need", 2017: sinusoidal positions, self-attention with several heads,
    feed-forward parts, dropout. Each part is normalised before it, not after (Xiong et al., "On Layer Normalization
    in the Transformer Architecture", 2020), so that the learning rate needs no warm-up.

    ``steps`` sees exactly ``length`` candles at each candle: every window is encoded alone.

    Parameters
    ----------
    n_features, n_classes : int
    width : int
        Numbers that describe a candle; a multiple of ``heads``.
    heads, layers : int
    feedforward : int
        Hidden units of a layer's feed-forward part.
    dropout : float
    """

    positions: Tensor

    def __init__(
        self,
        n_features: int,
        n_classes: int = 3,
        width: int = 32,
        heads: int = 4,
        layers: int = 2,
        feedforward: int = 128,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(n_features, width)
        self.register_buffer("positions", sinusoidal_positions(LARGEST_LENGTH, width), persistent=False)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(_EncoderLayer(width, heads, feedforward, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, n_classes)

    def steps(self, x: Tensor, length: int) -> Tensor:
        """See ``SequenceNetwork.steps``."""
        windows = self.embed(x).unfold(1, length, 1).transpose(2, 3)  # (batch, targets, length, width)
        encoded = self.encode(windows.flatten(0, 1), 1)[:, 0]
        logits: Tensor = self.out(encoded).view(*windows.shape[:2], -1)
        return logits

    def encode(self, embedded: Tensor, answers: int) -> Tensor:
        """Each of the newest candles in the light of the earlier ones, shape (windows, answers, width).

        Parameters
        ----------
        embedded : Tensor of shape (windows, length, width), oldest candle first
        answers : int
            Candles, at most ``length``; the last layer leaves the others out.
        """
        length, width = embedded.shape[1:]
        *inner, last = self.layers
        h = self.dropout(embedded * math.sqrt(width) + self.positions[:length])
        for layer in inner:
            h = layer(h, length)
        encoded: Tensor = self.norm(last(h, answers))
        return encoded


class _EncoderLayer(nn.Module):
    """Self-attention over the earlier candles, then a feed-forward part; both are added to what came in."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feedforward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.project = nn.Linear(width, width)
        self.feedforward = nn.Sequential(
            nn.Linear(width, feedforward), nn.ReLU(), nn.Dropout(dropout), nn.Linear(feedforward, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, answers: int) -> Tensor:
        """The newest ``answers`` candles, shape (windows, answers, width), of (windows, length, width)."""
        length = x.shape[1]
        known = torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        normed = self.attention_norm(x)
        query = self._by_head(self.query(normed[:, -answers:]))
        key, value = (self._by_head(part) for part in self.key_value(normed).chunk(2, dim=-1))
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=known[-answers:])
        h = x[:, -answers:] + self.dropout(self.project(context.transpose(1, 2).flatten(2)))
        out: Tensor = h + self.dropout(self.feedforward(self.feedforward_norm(h)))
        return out

    def _by_head(self, x: Tensor) -> Tensor:
        """(windows, heads, candles, width / heads)."""
        return x.view(*x.shape[:-1], self.heads, -1).transpose(1, 2)


def sinusoidal_positions(length: int, width: int) -> Tensor:
    """Sines and cosines of the position at wavelengths from 2 pi to 10,000 x 2 pi, shape (length, width)."""
    rates = WAVELENGTH ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)[:, :width]
