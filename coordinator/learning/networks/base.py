"""What every sequence network can do."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["LARGEST_LENGTH", "SequenceNetwork"]

LARGEST_LENGTH = 20
"""Of ``LearningSettings.sequence_length``."""


class SequenceNetwork(nn.Module):
    """A network that reads candles in order and may answer at each of them."""

    def steps(self, x: Tensor, length: int) -> Tensor:
        """Logits at every candle that has ``length - 1`` candles before it in its sequence.

        Parameters
        ----------
        x : Tensor of shape (batch, candles, n_features), candles >= length

        Returns
        -------
        Tensor of shape (batch, candles - length + 1, n_classes)
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Logits of shape (batch, n_classes) from sequences of shape (batch, length, n_features)."""
        return self.steps(x, x.shape[1])[:, 0]
