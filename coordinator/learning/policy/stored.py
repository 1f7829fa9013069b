"""A policy as a plain PyTorch network that goes into a file and comes back."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import torch
from torch import nn

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import Artefact
from coordinator.settings.networks import PolicySettings
from coordinator.signals.feature_schema import FeatureSchema

__all__ = ["StoredPolicy", "two_tanh_layers"]


class StoredPolicy:
    """What a subclass trains into ``network_``, under the names of ``schema_``.

    Attributes
    ----------
    kind : of its files
    answers : what they call the network's answers, and the names of these
    settings_type, network_type : network of (number of inputs, hidden units)
    """

    kind: ClassVar[str]
    answers: ClassVar[tuple[str, tuple[str, ...]]]
    settings_type: ClassVar[type[PolicySettings]]
    network_type: ClassVar[type[Any]]
    settings: Any
    schema_: FeatureSchema
    network_: Any

    def to_artefact(self) -> Artefact:
        """The policy as data, for ``artefact.write``."""
        name, answers = self.answers
        tensors = {name: value.float() for name, value in self.network_.state_dict().items()}
        about: dict[str, Any] = {"settings": self.settings.model_dump(mode="json"), name: list(answers)}
        return Artefact(self.kind, self.schema_, tensors, about)

    @classmethod
    def from_artefact(cls, artefact: Artefact) -> Self:
        """Inverse of ``to_artefact``.

        Raises
        ------
        CoordinatorError
            For a file of another kind, or of a policy with other answers.
        """
        name, answers = cls.answers
        if artefact.kind != cls.kind:
            raise CoordinatorError("kind", "a model file", f"be {cls.kind}", artefact.kind)
        if tuple(artefact.about[name]) != answers:
            raise CoordinatorError(name, "a policy's file", f"be {answers}", artefact.about[name])
        policy = cls(cls.settings_type.model_validate(artefact.about["settings"]))  # type: ignore[call-arg]
        policy.schema_ = artefact.schema
        with torch.random.fork_rng(devices=[]):
            policy.network_ = cls.network_type(len(artefact.schema.names), policy.settings.hidden)
        policy.network_.load_state_dict(dict(artefact.tensors))
        policy.network_.eval()
        return policy


def two_tanh_layers(n_inputs: int, hidden: int) -> nn.Sequential:
    """Two hidden layers with tanh, as stable-baselines3's ``MlpPolicy`` has them."""
    return nn.Sequential(nn.Linear(n_inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
