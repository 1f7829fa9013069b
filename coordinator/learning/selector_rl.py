"""The selector's policy: trained by PPO (Schulman et al., 2017), stored and evaluated as a plain PyTorch network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from coordinator.errors import CoordinatorError
from coordinator.learning.policy.ppo import trained_policy
from coordinator.learning.policy.stored import StoredPolicy, two_tanh_layers
from coordinator.learning.selector_env import ACTIONS, PairSignals, SelectorEnv
from coordinator.settings.networks import SelectorPolicySettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Floats, Ints

__all__ = ["PolicyNetwork", "SelectorPolicy"]


class PolicyNetwork(nn.Module):
    """Two hidden layers with tanh, as stable-baselines3's ``MlpPolicy`` has them; answers logits of the actions."""

    def __init__(self, n_inputs: int, hidden: int) -> None:
        super().__init__()
        self.body = two_tanh_layers(n_inputs, hidden)
        self.action = nn.Linear(hidden, len(ACTIONS))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of shape (batch, 5)."""
        logits: Tensor = self.action(self.body(x))
        return logits


class SelectorPolicy(StoredPolicy):
    """Chooses flat or a tactic at a signal.

    Parameters
    ----------
    settings : SelectorPolicySettings

    Attributes
    ----------
    schema_ : FeatureSchema, names of the observation's numbers
    network_ : PolicyNetwork
    """

    kind, answers = "selector", ("actions", ACTIONS)
    settings_type, network_type = SelectorPolicySettings, PolicyNetwork

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
        s = self.settings
        env = SelectorEnv(walks, s)
        width = int(env.observation_space.shape[0]) if env.observation_space.shape else 0
        if len(schema.names) != width:
            raise CoordinatorError(
                "schema", "the selector's policy", f"name {width} numbers", len(schema.names)
            )
        trained = trained_policy("MlpPolicy", env, s, [s.hidden, s.hidden]).state_dict()
        with torch.random.fork_rng(devices=[]):
            self.network_ = PolicyNetwork(width, s.hidden)
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
