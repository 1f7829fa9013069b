"""The policy that divides the slots: trained by PPO, stored and evaluated as a plain PyTorch network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from coordinator.errors import CoordinatorError
from coordinator.learning.policy.stored import StoredPolicy
from coordinator.learning.slots.env import SlotsEnv
from coordinator.learning.slots.network import SlotsNetwork
from coordinator.learning.slots.walk import MarketSignals
from coordinator.portfolio.slot_terms import TERMS
from coordinator.settings.networks import SlotsPolicySettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Floats

__all__ = ["SlotsPolicy"]


class SlotsPolicy(StoredPolicy):
    """Says of a signal how likely it should be taken, in three terms (``portfolio.slot_terms``).

    Parameters
    ----------
    settings : SlotsPolicySettings

    Attributes
    ----------
    schema_ : FeatureSchema, names of what is seen of a signal
    network_ : SlotsNetwork
    """

    kind, answers = "slots", ("terms", TERMS)
    settings_type, network_type = SlotsPolicySettings, SlotsNetwork

    def __init__(self, settings: SlotsPolicySettings) -> None:
        self.settings = settings

    def fit(self, signals: MarketSignals, schema: FeatureSchema, places: int, time_limit: int) -> SlotsPolicy:
        """Train on signals; the process's random generators stay as they were.

        Parameters
        ----------
        schema : names of ``signals.seen``
        places : slots
        time_limit : longest that a position is held, seconds

        Raises
        ------
        CoordinatorError
            If the schema does not fit, or as ``SlotsEnv``.
        """
        from coordinator.learning.slots.ppo import trained_network  # slow to import

        env, width = SlotsEnv(signals, places, time_limit, self.settings), signals.seen.shape[1]
        if len(schema.names) != width:
            raise CoordinatorError("schema", "the slots' policy", f"name {width} numbers", len(schema.names))
        self.network_ = trained_network(env).eval()
        self.schema_ = schema
        return self

    def predict(self, seen: npt.NDArray[np.float32]) -> Floats:
        """The terms of each signal, shape (n, 3)."""
        with torch.inference_mode():
            terms: Floats = self.network_.double()(torch.as_tensor(seen, dtype=torch.float64)).numpy()
        return terms
