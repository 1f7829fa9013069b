"""Settings of the ML weight: phases, reviews, what earns weight and what takes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Section, lists_to_tuples

__all__ = ["BlendingSettings"]

Phase = Literal["foundation", "shadow", "pilot", "expansion", "optimization"]


class BlendingSettings(Section):
    """How much say ML has (DESIGN.md 4.4, spec 001). Tuples have one entry for each phase, in order."""

    start_phase: Phase = Field("foundation", description="phase without any history")
    base_weights: tuple[float, ...] = Field(
        (0.0, 0.0, 0.10, 0.20, 0.40), description="first weight of a phase"
    )
    phase_caps: tuple[float, ...] = Field(
        (0.0, 0.0, 0.20, 0.40, 0.70), description="greatest weight of a phase"
    )
    review_days: int = Field(30, ge=1, le=365, description="days between reviews")
    criterion: Literal["accuracy", "r"] = Field(
        "r",
        description="what earns weight. r: the signals that ML rates higher make more R than the others, and its "
        "trades more than the baseline's; accuracy: the documented bars of .55, .50 and .45",
    )
    window_days: int = Field(
        30, ge=1, le=365, description="accuracy: days of outcomes that a review looks back on"
    )
    evidence_days: int = Field(
        730,
        ge=90,
        le=3650,
        description="r: days of outcomes that a rise looks back on, at most since shadow began",
    )
    recent_days: int = Field(
        90, ge=15, le=3650, description="r: days of outcomes that cuts and breakers look back on"
    )
    fresh_certainty: float = Field(
        0.7, ge=0.5, lt=1, description="r: the same of a gain in the outcomes since the weight changed last"
    )
    minimum_trade_times: float = Field(
        6.0, ge=1, le=100, description="r: least time of evidence for a rise, in longest times of a trade"
    )
    minimum_fresh_times: float = Field(
        3.0, ge=1, le=100, description="r: the same since the weight changed last"
    )
    prior_edge: float = Field(
        0.15, gt=0, lt=1, description="r: probability that ML has an edge before any outcome is known"
    )
    edge_scale: float = Field(
        0.2, gt=0, le=5, description="r: an edge is mostly smaller than this, R a trade"
    )
    breaker_certainty: float = Field(
        0.95, ge=0.5, lt=1, description="r: probability of the opposite of an edge that takes all weight"
    )
    step: float = Field(0.05, gt=0, le=0.2, description="weight earned or lost by a review")
    certainty: float = Field(0.8, ge=0.5, lt=1, description="posterior probability that a change needs")
    accuracy_bar: Fraction = Field(0.55, description="accuracy above this earns weight")
    accuracy_floor: Fraction = Field(0.50, description="accuracy below this cuts the weight")
    accuracy_factor: Fraction = Field(
        0.5,
        description="factor on the weight for low accuracy; r: where the signals rated higher make less R",
    )
    sharpe_step: Fraction = Field(
        0.9, description="share of the baseline's Sharpe below which a step is lost"
    )
    sharpe_cut: Fraction = Field(
        0.8, description="share of the baseline's Sharpe below which the weight is cut"
    )
    sharpe_factor: Fraction = Field(
        0.7,
        description="factor on the weight for a low Sharpe; r: where ML's trades make less R than the baseline's",
    )
    drawdown_ratio: float = Field(
        1.5, ge=1, le=10, description="ML over baseline drawdown that cuts the weight"
    )
    drawdown_factor: Fraction = Field(0.5, description="factor on the weight for drawdown")
    drawdown_minimum: float = Field(5.0, ge=0, le=1000, description="smaller ML drawdowns never cut, R")
    least_weight: Fraction = Field(
        0.01, description="r: a weight that a cut leaves below this is none, and ML is back in shadow"
    )
    breaker_accuracy: Fraction = Field(0.45, description="accuracy below this takes all weight at once")
    breaker_losses: int = Field(
        10,
        ge=2,
        le=1000,
        description="ML losses in a row that take all weight; r: losing days on which it does worse than the baseline",
    )
    breaker_scaled: bool = Field(
        True,
        description="accuracy: lengthen that run until it is as rare as it is at even odds (at most twice as long)",
    )
    foundation_outcomes: int = Field(100, ge=1, le=100_000, description="outcomes that end foundation")
    shadow_outcomes: int = Field(50, ge=1, le=100_000, description="predictions with outcome that end shadow")
    minimum_outcomes: int = Field(
        50, ge=2, le=100_000, description="outcomes in the window for any other change"
    )
    minimum_days: int = Field(
        15, ge=3, le=365, description="days with outcomes for anything about Sharpe, drawdown"
    )
    pilot_drawdown: float = Field(
        1.0, ge=0.1, le=10, description="ML over baseline drawdown that pilot may have"
    )
    expansion_weight: Fraction = Field(0.30, description="weight to be reached before optimization")
    expansion_gain: float = Field(
        0.10, ge=0, le=10, description="mean R over the baseline's before optimization"
    )
    pilot_share: Fraction = Field(0.10, description="share of signals that get the blend in pilot")
    pilot_seed: int = Field(7, ge=0, le=2**31 - 1, description="seed of the draw of the pilot's signals")
    reviews_kept: int = Field(120, ge=1, le=10_000, description="reviews remembered")

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return lists_to_tuples(data, "base_weights", "phase_caps")

    @model_validator(mode="after")
    def _consistent(self) -> BlendingSettings:
        if len(self.base_weights) != 5 or len(self.phase_caps) != 5:
            raise ValueError("base_weights and phase_caps must have five entries, one for each phase")
        if any(
            not 0 <= base <= cap <= 0.7 for base, cap in zip(self.base_weights, self.phase_caps, strict=True)
        ):
            raise ValueError("0 <= base_weights <= phase_caps <= 0.7 must hold in each phase")
        if any(self.phase_caps[:2]):
            raise ValueError("foundation and shadow must have the cap 0")
        if not self.breaker_accuracy <= self.accuracy_floor <= self.accuracy_bar:
            raise ValueError("breaker_accuracy <= accuracy_floor <= accuracy_bar must hold")
        if self.recent_days > self.evidence_days:
            raise ValueError("recent_days must not exceed evidence_days")
        if self.sharpe_cut > self.sharpe_step:
            raise ValueError("sharpe_cut must not exceed sharpe_step")
        return self
