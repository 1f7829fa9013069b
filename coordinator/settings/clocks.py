"""Several clocks in one account: what each of them has of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from coordinator.settings.base import Section

__all__ = ["CLOCK_SECTIONS", "ClockSettings"]

CLOCK_SECTIONS = ("baseline", "regime", "decision", "quality", "stops", "targets", "exits")
"""Sections of which a clock may have keys of its own; of ``decision`` only the two thresholds act."""


class ClockSettings(Section):
    """One clock of ``clocks``: keys of other sections that are its own; what it does not name is shared."""

    risk_share: float = Field(
        1.0, gt=0, le=1, description="share of the risk per trade that its positions get"
    )
    baseline: Mapping[str, Any] = Field({}, description="its own keys of the section baseline, and so on")
    regime: Mapping[str, Any] = {}
    decision: Mapping[str, Any] = {}
    quality: Mapping[str, Any] = {}
    stops: Mapping[str, Any] = {}
    targets: Mapping[str, Any] = {}
    exits: Mapping[str, Any] = {}

    @field_validator("decision")
    @classmethod
    def _thresholds_only(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        others = sorted(set(value) - {"threshold", "baseline_threshold"})
        if others:
            raise ValueError(f"may hold threshold and baseline_threshold, unlike {', '.join(others)}")
        return value
