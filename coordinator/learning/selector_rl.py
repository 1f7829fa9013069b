"""The selector's policy: trained by PPO (Schulman et al., 2017), stored and evaluated as a plain PyTorch network."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import Artefact
from coordinator.learning.selector_env import ACTIONS, PairSignals, SelectorEnv
from coordinator.learning.trainer import size_threads
from coordinator.settings.networks import SelectorPolicySettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Floats, Ints

__all__ = ["PolicyNetwork", "SelectorPolicy", "kept_generators"]

KIND = "selector"


class PolicyNetwork(nn.Module):
    """Two hidden layers with tanh, as stable-baselines3's ``MlpPolicy`` has them; answers logits of the actions."""

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(n_inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()
        )
        self.action = nn.Linear(hidden, len(ACTIONS))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of shape (batch, 5)."""
        logits: Tensor = self.action(self.body(x))
        return logits


class SelectorPolicy:
    """Chooses flat or a tactic at a signal.

    Parameters
    ----------
    settings : SelectorPolicySettings

    Attributes
    ----------
    schema_ : FeatureSchema, names of the observation's numbers
    network_ : PolicyNetwork
    """

    def __init__(self, settings: SelectorPolicySettings) -> None:
        self.settings = settings

    def fit(self, walks: Sequence[PairSignals], schema: FeatureSchema) -> SelectorPolicy:
        """Train on the walks; the process's random generators stay as they were.

        Parameters
        ----------
        schema : FeatureSchema
            ``observation_names`` of the walks' features.

        Raises
        ------
        CoordinatorError
            If the schema does not fit the observations, or as ``SelectorEnv``.
        """
        from stable_baselines3 import PPO  # needed for training only, and slow to import

        s = self.settings
        env = SelectorEnv(walks, s)
        width = int(env.observation_space.shape[0]) if env.observation_space.shape else 0
        if len(schema.names) != width:
            raise CoordinatorError(
                "schema", "the selector's policy", f"name {width} numbers", len(schema.names)
            )
        size_threads(1)
        with kept_generators():
            learner = PPO(
                "MlpPolicy",
                env,
                learning_rate=s.learning_rate,
                n_steps=s.rollout,
                batch_size=s.batch_size,
                n_epochs=s.epochs,
                gamma=s.gamma,
                ent_coef=s.entropy,
                policy_kwargs={"net_arch": [s.hidden, s.hidden]},
                seed=s.seed,
                device="cpu",
            )
            learner.learn(s.timesteps)
            self.network_ = PolicyNetwork(width, s.hidden)
        trained = learner.policy.state_dict()
        names = {"mlp_extractor.policy_net.": "body.", "action_net.": "action."}
        self.network_.load_state_dict(
            {
                own + name.removeprefix(theirs): value.cpu()
                for theirs, own in names.items()
                for name, value in trained.items()
                if name.startswith(theirs)
            }
        )
        self.network_.eval()
        self.schema_ = schema
        return self

    def predict(self, observed: npt.NDArray[np.float32]) -> tuple[Ints, Floats]:
        """The likeliest action of each observation, shape (n,), and all actions' probabilities, shape (n, 5)."""
        with torch.inference_mode():
            logits = self.network_.double()(torch.as_tensor(observed, dtype=torch.float64))
            probabilities: Floats = torch.softmax(logits, dim=1).numpy()
        return probabilities.argmax(axis=1), probabilities

    def to_artefact(self) -> Artefact:
        """The policy as data, for ``artefact.write``."""
        tensors = {name: value.float() for name, value in self.network_.state_dict().items()}
        about: dict[str, Any] = {"settings": self.settings.model_dump(mode="json"), "actions": list(ACTIONS)}
        return Artefact(KIND, self.schema_, tensors, about)

    @classmethod
    def from_artefact(cls, artefact: Artefact) -> SelectorPolicy:
        """Inverse of ``to_artefact``.

        Raises
        ------
        CoordinatorError
            For a file of another kind, or of a policy with other actions.
        """
        if artefact.kind != KIND:
            raise CoordinatorError("kind", "a model file", f"be {KIND}", artefact.kind)
        if tuple(artefact.about["actions"]) != ACTIONS:
            raise CoordinatorError("actions", "a policy's file", f"be {ACTIONS}", artefact.about["actions"])
        policy = cls(SelectorPolicySettings.model_validate(artefact.about["settings"]))
        policy.schema_ = artefact.schema
        with torch.random.fork_rng(devices=[]):
            policy.network_ = PolicyNetwork(len(artefact.schema.names), policy.settings.hidden)
        policy.network_.load_state_dict(dict(artefact.tensors))
        policy.network_.eval()
        return policy


@contextmanager
def kept_generators() -> Iterator[None]:
    """Stable-baselines3 seeds the process's generators; afterwards they are as before."""
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(state)
            np.random.set_state(numpy_state)  # noqa: NPY002
