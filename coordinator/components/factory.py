"""The components by name."""

from __future__ import annotations

from coordinator.components.component import Component
from coordinator.components.fusion import FusionComponent
from coordinator.components.network import SequenceComponent
from coordinator.components.quality import QualityComponent
from coordinator.components.selector import SelectorComponent
from coordinator.settings import Settings

__all__ = ["build_component"]


def build_component(name: str, settings: Settings) -> Component:
    """The component of a name in ``learning.components``, or "selector"."""
    if name == "fusion":
        return FusionComponent(settings)
    if name == "quality":
        return QualityComponent(settings)
    return SelectorComponent(settings) if name == "selector" else SequenceComponent(name, settings)
