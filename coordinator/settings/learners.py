"""Settings of what learns from outcomes: calibration, vote weights, thresholds, selector."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Mode, Section

__all__ = [
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
    floor: float = Field(0.05, ge=0, le=0.2, description="least share of a component that has a weight")


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
