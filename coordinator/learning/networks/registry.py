"""The sequence networks by name: a new one is one class and one line here."""

from __future__ import annotations

from collections.abc import Callable

from coordinator.errors import CoordinatorError
from coordinator.learning.networks.attention import AttentionNetwork
from coordinator.learning.networks.base import SequenceNetwork
from coordinator.learning.networks.lstm import LSTMNetwork
from coordinator.learning.networks.transformer import TransformerNetwork
from coordinator.settings.learning import LearningSettings

__all__ = ["NETWORKS", "build_network"]

NETWORKS: dict[str, Callable[[int, LearningSettings], SequenceNetwork]] = {
    "lstm": lambda n_features, s: LSTMNetwork(n_features),
    "attention": lambda n_features, s: AttentionNetwork(
        n_features, width=s.attention_width, heads=s.attention_heads, dropout=s.attention_dropout
    ),
    "transformer": lambda n_features, s: TransformerNetwork(
        n_features,
        width=s.attention_width,
        heads=s.attention_heads,
        layers=s.transformer_layers,
        feedforward=s.transformer_feedforward,
        dropout=s.attention_dropout,
    ),
}


def build_network(name: str, n_features: int, settings: LearningSettings) -> SequenceNetwork:
    """A network with fresh weights.

    Raises
    ------
    CoordinatorError
        For an unknown name.
    """
    if name not in NETWORKS:
        raise CoordinatorError("network", "a sequence classifier", f"be one of {', '.join(NETWORKS)}", name)
    return NETWORKS[name](n_features, settings)
