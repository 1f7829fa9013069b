"""The components by name."""

from __future__ import annotations

from collections.abc import Sequence

from coordinator.components.component import Component
from coordinator.components.fusion import FusionComponent
from coordinator.components.network import SequenceComponent
from coordinator.components.quality import QualityComponent
from coordinator.components.registry_quality import RegistryPlace, RegistryQuality
from coordinator.components.selector import SelectorComponent
from coordinator.components.slots import SlotsComponent
from coordinator.settings import Settings

__all__ = ["build_components", "with_slots"]


def build_components(
    names: Sequence[str], settings: Settings, registry: RegistryPlace | None = None
) -> dict[str, Component]:
    """The components by name: one for each of ``learning.components`` (or "selector", "slots"), of quality one a clock.

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
        elif name == "selector":
            components.append(SelectorComponent(settings))
        elif name == "slots":
            components.append(SlotsComponent(settings))
        else:
            components.append(SequenceComponent(name, settings))
    return {component.name: component for component in components}


def with_slots(names: Sequence[str], settings: Settings) -> tuple[str, ...]:
    """The components that vote, and the one that divides the slots where ``entries.ranking_by`` says so."""
    return (*names, "slots") if settings.divides_slots else tuple(names)


def _quality(settings: Settings, clock: str, registry: RegistryPlace | None) -> Component:
    if settings.on_clock(clock).quality.source == "freqai" or registry is None:
        return QualityComponent(settings, clock)
    return RegistryQuality(settings, registry, clock)
