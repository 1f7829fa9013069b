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
    block_days: int = Field(
        20, ge=1, le=60, description="effects known within as many days are one observation, as they overlap"
    )
    minimum_blocks: int = Field(6, ge=3, le=100, description="blocks with effects before anything changes")
    window_days: int = Field(730, ge=90, le=3650, description="days that a review looks back at most")
    prior: float = Field(
        1 / 6, gt=0, le=0.5, description="probability of a gain, and of a harm, before any effect is known"
    )
    edge_scale: float = Field(
        0.1, gt=0, le=2, description="R; gains and harms there are mostly smaller than this"
    )
    certainty: float = Field(0.8, ge=0.5, lt=1, description="probability from which the range changes")
    harm: float = Field(0.95, ge=0.5, lt=1, description="probability of harm that switches off")
