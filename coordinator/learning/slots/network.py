"""The slots policy's network: three terms of a signal, in which the portfolio's numbers are linear."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coordinator.learning.policy.stored import two_tanh_layers
from coordinator.portfolio.slot_terms import PORTFOLIO, TERMS

__all__ = ["SlotsNetwork"]


class SlotsNetwork(nn.Module):
    """Two hidden layers with tanh over what is seen of a signal.

    Parameters
    ----------
    n_inputs : numbers that are seen of a signal
    hidden : units of each layer
    """

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.body = two_tanh_layers(n_inputs, hidden)
        self.head = nn.Linear(hidden, len(TERMS))

    def forward(self, seen: Tensor) -> Tensor:
        """Terms of shape (batch, 3)."""
        terms: Tensor = self.head(self.body(seen))
        return terms

    def logit(self, observed: Tensor) -> Tensor:
        """Logit of taking, shape (batch, 1), of observations whose last numbers are the portfolio's."""
        seen, portfolio = observed[:, : -len(PORTFOLIO)], observed[:, -len(PORTFOLIO) :]
        terms = self(seen)
        logit: Tensor = terms[:, :1] + torch.sum(terms[:, 1:] * portfolio, dim=1, keepdim=True)
        return logit
