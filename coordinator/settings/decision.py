"""Settings of the vote: weights, scale of confidence, gate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from coordinator.settings.base import Fraction, Section

__all__ = ["COMPONENTS", "DecisionSettings"]


class DecisionSettings(Section):
    """Votes to decision (DESIGN.md 4.1 and 4.2)."""

    weighting: Literal["fixed", "earned"] = Field(
        "earned", description="fixed: ml_weight throughout; earned: the phases of the blending section"
    )
    ml_weight: float = Field(
        0.30, ge=0, le=0.70, description="say of ML in the unified score when fixed (spec 002: 30 %)"
    )
    shadow: bool = Field(
        False, description="decide as the baseline would, and record what ML would have said"
    )
    require_positive_expectancy: bool = Field(
        True, description="ML's signals need an expected R above 0 after costs"
    )
    expectancy_outcomes: int = Field(
        300, ge=1, le=100_000, description="outcomes known before the expectation counts"
    )
    quality_mode: Literal["vote", "score_enhancement", "filter", "replace"] = Field(
        "vote",
        description="vote: signal quality votes beside the other components and earns its say with them; otherwise "
        "what it does to the technical confidence from its first model on",
    )
    quality_weight: Fraction = Field(0.3, description="say of the quality in score_enhancement")
    quality_threshold: Fraction = Field(0.5, description="least quality that passes filter")
    threshold: Fraction = Field(0.70, description="unified confidence from which a signal is accepted")
    baseline_threshold: Fraction | None = Field(
        None,
        description="technical confidence that is enough where no model judges the signal; null: threshold",
    )
    confidence_scale: Literal["percentile", "raw"] = Field(
        "percentile", description="percentile: causal rank among the component's last signals; raw: literal"
    )
    percentile_window: int = Field(500, ge=50, le=5000, description="signals a percentile looks back on")
    percentile_prior: int = Field(50, ge=1, le=500, description="pseudo-signals of the uniform prior")
    weight_lstm: Fraction = Field(0.25, description="documented vote weight of the LSTM")
    weight_fusion: Fraction = Field(0.20, description="documented vote weight of the fusion")
    weight_selector: Fraction = Field(0.15, description="documented vote weight of the selector")
    weight_attention: Fraction = Field(0.10, description="documented vote weight of the attention")
    weight_quality: Fraction = Field(
        0.30, description="vote weight of signal quality (its documented say of 30 %, spec 002)"
    )


COMPONENTS = (
    "technical",
    *(name.removeprefix("weight_") for name in DecisionSettings.model_fields if name.startswith("weight_")),
)
"""Who votes: the baseline, then every component that has a weight above, in that order."""
