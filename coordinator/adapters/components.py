"""The components by name."""

from __future__ import annotations

from coordinator.adapters.component import Component
from coordinator.adapters.fusion_component import FusionComponent
from coordinator.adapters.network_component import SequenceComponent
from coordinator.adapters.quality_component import QualityComponent
from coordinator.adapters.selector_component import SelectorComponent
from coordinator.settings import Settings

__all__ = ["build_component"]


def build_component(name: str, settings: Settings) -> Component:
    """The component of a name in ``learning.components``, or "selector"."""
    if name == "fusion":
        return FusionComponent(settings)
    if name == "quality":
        return QualityComponent(settings)
    return SelectorComponent(settings) if name == "selector" else SequenceComponent(name, settings)
