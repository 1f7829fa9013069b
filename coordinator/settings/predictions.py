"""Which settings predictions depend on."""

from __future__ import annotations

from typing import Any, Final

from coordinator.settings.all import Settings

__all__ = ["PREDICTED_FROM", "prediction_settings"]

PREDICTED_FROM: Final = (
    *("learning", "quality", "fusion_models", "selector_policy", "fusion"),
    *("baseline", "regime", "stops", "targets", "costs", "exits"),
)
"""Sections that predictions depend on."""


def prediction_settings(settings: Settings) -> dict[str, Any]:
    """The sections that predictions depend on, those of each of several clocks too, as JSON types."""
    shared = {name: getattr(settings, name).model_dump(mode="json") for name in PREDICTED_FROM}
    clocks = {name: own.model_dump(mode="json") for name, own in settings.clocks.items()}
    return {**shared, "clocks": clocks, "slots": _slots(settings)}


def _slots(settings: Settings) -> dict[str, Any]:
    """What the policy that divides the slots is made of, where there is one."""
    if not settings.divides_slots:
        return {"ranking_by": "expected_r"}
    places = settings.portfolio.max_positions
    return {"ranking_by": "policy", "places": places, **settings.slots_policy.model_dump(mode="json")}
