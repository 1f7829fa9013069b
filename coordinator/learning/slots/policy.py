"""The policy that divides the slots: trained by PPO, stored and evaluated as a plain PyTorch network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from coordinator.errors import CoordinatorError
from coordinator.learning.artefact import Artefact
from coordinator.learning.selector_rl import kept_generators
from coordinator.learning.slots.env import SlotsEnv
from coordinator.learning.slots.network import SlotsNetwork
from coordinator.learning.slots.walk import MarketSignals
from coordinator.learning.trainer import size_threads
from coordinator.portfolio.slot_terms import TERMS
from coordinator.settings.networks import SlotsPolicySettings
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Floats

__all__ = ["SlotsPolicy"]

KIND = "slots"


class SlotsPolicy:
    """Says of a signal how likely it should be taken, in three terms (``portfolio.slot_terms``).

    Parameters
    ----------
    settings : SlotsPolicySettings

    Attributes
    ----------
    schema_ : FeatureSchema, names of what is seen of a signal
    network_ : SlotsNetwork
    """

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
        size_threads(1)
        with kept_generators():
            self.network_ = trained_network(env).eval()
        self.schema_ = schema
        return self

    def predict(self, seen: npt.NDArray[np.float32]) -> Floats:
        """The terms of each signal, shape (n, 3)."""
        with torch.inference_mode():
            terms: Floats = self.network_.double()(torch.as_tensor(seen, dtype=torch.float64)).numpy()
        return terms

    def to_artefact(self) -> Artefact:
        """The policy as data, for ``artefact.write``."""
        tensors = {name: value.float() for name, value in self.network_.state_dict().items()}
        about: dict[str, Any] = {"settings": self.settings.model_dump(mode="json"), "terms": list(TERMS)}
        return Artefact(KIND, self.schema_, tensors, about)

    @classmethod
    def from_artefact(cls, artefact: Artefact) -> SlotsPolicy:
        """Inverse of ``to_artefact``.

        Raises
        ------
        CoordinatorError
            For a file of another kind, or of a policy with other terms.
        """
        if artefact.kind != KIND:
            raise CoordinatorError("kind", "a model file", f"be {KIND}", artefact.kind)
        if tuple(artefact.about["terms"]) != TERMS:
            raise CoordinatorError("terms", "a policy's file", f"be {TERMS}", artefact.about["terms"])
        policy = cls(SlotsPolicySettings.model_validate(artefact.about["settings"]))
        policy.schema_ = artefact.schema
        with torch.random.fork_rng(devices=[]):
            policy.network_ = SlotsNetwork(len(artefact.schema.names), policy.settings.hidden)
        policy.network_.load_state_dict(dict(artefact.tensors))
        policy.network_.eval()
        return policy
