"""Settings of what learns from outcomes: calibration, vote weights, ML weight, thresholds, selector."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Mode, Section, lists_to_tuples

__all__ = [
    "BlendingSettings",
    "CalibrationSettings",
    "SelectorSettings",
    "ThresholdSettings",
    "VoteWeightSettings",
]


class CalibrationSettings(Section):
    """Confidence to win probability (DESIGN.md 4.3)."""

    bins: int = Field(10, ge=2, le=50, description="equal bins of the unified confidence")
    half_life: float = Field(2000.0, ge=50, le=100_000, description="outcomes after which one counts half")
    strength: float = Field(
        20.0, ge=1, le=1000, description="pseudo-outcomes that hold a bin at the base rate"
    )
    base_strength: float = Field(
        50.0, ge=1, le=1000, description="pseudo-outcomes that hold the base rate at 1 / (1 + reward:risk)"
    )


class VoteWeightSettings(Section):
    """How the inner weights of the ML components adapt (DESIGN.md 4.1)."""

    learning_rate: float = Field(
        0.01, ge=0, le=1, description="Hedge's step per outcome; 0 keeps the documented weights"
    )
    floor: float = Field(0.05, ge=0, le=0.25, description="least share of a component that has a weight")


class ThresholdSettings(Section):
    """Adaptive thresholds per pair (DESIGN.md 4.5, spec 003 section 3). They start at ``decision.threshold``."""

    ascending: ClassVar = (("minimum", "maximum"),)

    mode: Mode = Field(
        "off", description="off: the fixed gate; shadow: learn and report, act on the fixed gate; on: act"
    )
    window: int = Field(50, ge=10, le=1000, description="last resolved decisions of the pair")
    interval_hours: float = Field(4.0, ge=0, le=720, description="least hours between two steps of a pair")
    step: float = Field(0.02, gt=0, le=0.1, description="one step, on the 0..1 scale of confidence")
    minimum: Fraction = Field(0.60, description="never below")
    maximum: Fraction = Field(0.85, description="never above")
    minimum_outcomes: int = Field(
        10, ge=2, le=1000, description="accepted (rejected) decisions a step up (down) needs"
    )
    fresh_outcomes: int = Field(
        5,
        ge=1,
        le=1000,
        description="outcomes of the pair since its last step, so that none is counted alone twice",
    )
    sigmas: float = Field(
        1.0, ge=0, le=5, description="standard errors by which the mean R must miss; 0 is the literal reading"
    )

    @model_validator(mode="after")
    def _ordered(self) -> ThresholdSettings:
        if self.minimum_outcomes > self.window:
            raise ValueError("minimum_outcomes must not exceed window")
        return self


class SelectorSettings(Section):
    """Tabular Q-learning over market states and tactics (DESIGN.md 4.8, spec 004 section 4)."""

    enabled: bool = Field(True, description="whether the selector votes")
    learning_rate: float = Field(0.1, gt=0, le=1, description="alpha")
    discount: float = Field(0.95, ge=0, lt=1, description="gamma")
    epsilon: Fraction = Field(0.2, description="first share of exploration (the documents give none)")
    epsilon_decay: float = Field(0.995, gt=0, le=1, description="factor on epsilon per update")
    epsilon_floor: Fraction = Field(0.05, description="least share of exploration")
    reward_unit: float = Field(0.05, gt=0, le=1, description="profit ratio whose reward is 1")
    reward_low: float = Field(-1.0, ge=-10, le=0, description="least reward")
    reward_high: float = Field(2.0, ge=0, le=10, description="greatest reward")
    seed: int = Field(42, ge=0, le=2**31 - 1, description="seed of the exploration")

    @model_validator(mode="after")
    def _ordered(self) -> SelectorSettings:
        if self.epsilon_floor > self.epsilon:
            raise ValueError("epsilon_floor must not exceed epsilon")
        return self


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
    window_days: int = Field(30, ge=1, le=365, description="days of outcomes a review looks back on")
    step: float = Field(0.05, gt=0, le=0.2, description="weight earned or lost by a review")
    certainty: float = Field(0.8, ge=0.5, lt=1, description="posterior probability that a change needs")
    accuracy_bar: Fraction = Field(0.55, description="accuracy above this earns weight")
    accuracy_floor: Fraction = Field(0.50, description="accuracy below this cuts the weight")
    accuracy_factor: Fraction = Field(0.5, description="factor on the weight for low accuracy")
    sharpe_step: Fraction = Field(
        0.9, description="share of the baseline's Sharpe below which a step is lost"
    )
    sharpe_cut: Fraction = Field(
        0.8, description="share of the baseline's Sharpe below which the weight is cut"
    )
    sharpe_factor: Fraction = Field(0.7, description="factor on the weight for a low Sharpe")
    drawdown_ratio: float = Field(
        1.5, ge=1, le=10, description="ML over baseline drawdown that cuts the weight"
    )
    drawdown_factor: Fraction = Field(0.5, description="factor on the weight for drawdown")
    drawdown_minimum: float = Field(5.0, ge=0, le=1000, description="smaller ML drawdowns never cut, R")
    breaker_accuracy: Fraction = Field(0.45, description="accuracy below this takes all weight at once")
    breaker_losses: int = Field(10, ge=2, le=1000, description="ML losses in a row that take all weight")
    breaker_scaled: bool = Field(
        True,
        description="lengthen that run until it is as rare as it is at even odds (at most twice as long)",
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
        if self.sharpe_cut > self.sharpe_step:
            raise ValueError("sharpe_cut must not exceed sharpe_step")
        return self
