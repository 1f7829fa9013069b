"""Settings of the trust in an improvement (spec 003, gradual trust building)."""

from __future__ import annotations

from pydantic import Field

from coordinator.settings.base import Section

__all__ = ["TrustSettings"]


class TrustSettings(Section):
    """How the range of an improvement follows its measured effect."""

    enabled: bool = Field(
        True, description="false: improvements that are on act in full, within their own range"
    )
    start: float = Field(
        0.1, gt=0, le=1, description="range at first and after a come-back, share of the base"
    )
    step: float = Field(0.1, gt=0, le=1, description="one widening, share of the base")
    narrowing: float = Field(0.5, gt=0, lt=1, description="factor of the range where it seems to harm")
    floor: float = Field(0.01, gt=0, le=0.1, description="narrowing ends here, share of the base")
    review_days: int = Field(30, ge=1, le=365, description="days from one review to the next")
    window: int = Field(500, ge=50, le=5000, description="last effects that a review looks at")
    minimum_effects: int = Field(
        50, ge=10, le=5000, description="effects in the window before anything changes"
    )
    fresh_effects: int = Field(20, ge=1, le=5000, description="of these known since the last change")
    certainty: float = Field(0.8, ge=0.5, lt=1, description="probability from which the range changes")
    harm: float = Field(0.95, ge=0.5, lt=1, description="probability of harm that switches off")
    pair_window: int = Field(200, ge=50, le=5000, description="last effects of a pair by itself")
    pair_effects: int = Field(100, ge=10, le=5000, description="effects of a pair before it is judged alone")
