"""The components by name."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.components.component import Component
from coordinator.components.fusion import FusionComponent
from coordinator.components.network import SequenceComponent
from coordinator.components.quality import QualityComponent
from coordinator.components.registry_quality import RegistryPlace, RegistryQuality
from coordinator.components.selector import SelectorComponent
from coordinator.settings import Settings

__all__ = ["build_components"]


def build_components(
    names: Sequence[str], settings: Settings, registry: RegistryPlace | None = None
) -> dict[str, Component]:
    """The components by name: one for each of ``learning.components`` (or "selector"), of quality one a clock.

    Parameters
    ----------
    registry : where signal quality's models come from if ``quality.source`` says so
    """
    components: list[Component] = []
    for name in names:
        if name == "quality":
            components += [_quality(settings, clock, registry) for clock in settings.clock_names]
        elif name == "fusion":
            components.append(FusionComponent(settings))
        else:
            selector = name == "selector"
            components.append(SelectorComponent(settings) if selector else SequenceComponent(name, settings))
    return {component.name: component for component in components}


def _quality(settings: Settings, clock: str, registry: RegistryPlace | None) -> Component:
    if settings.on_clock(clock).quality.source == "freqai" or registry is None:
        return QualityComponent(settings, clock)
    return RegistryQuality(settings, registry, clock)
