"""A control in every component's place, as a FreqAI model."""

from typing import Any

from coordinator.adapters.freqai import CompositeFreqaiModel
from coordinator.components.controls import control_components
from coordinator.settings import run_settings


class ControlClassifier(CompositeFreqaiModel):
    """CoordinatorClassifier with ``{"control": {"kind": "constant", "noise" or "shuffled", "seed": 0}}`` of the config.

    The stored predictions are the control's: it needs a ``freqai.identifier`` of its own.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        asked, components = self.config["control"], self.composite.components
        settings = run_settings(self.config)
        self.composite.components = control_components(components, asked["kind"], asked["seed"], settings)
