"""Settings of adaptive exits, of targets that follow the market and of which entries come first."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Mode, Section, lists_to_tuples

__all__ = [
    "EntriesSettings",
    "ExitRuleSettings",
    "ExitsSettings",
    "LowVolumeSettings",
    "MomentumReversalSettings",
    "ScaleOutSettings",
    "StagnationSettings",
    "TargetFollowingSettings",
    "TrendChangeSettings",
]


class EntriesSettings(Section):
    """Which entries come first."""

    ranking: Mode = Field(
        "on",
        description="more signals than free slots at a candle: the best by expected R, then confidence, win them; "
        "off: the first in the pair list",
    )


class ExitRuleSettings(Section):
    """What every exit rule has; ``confidence`` is the documented one (spec 004)."""

    mode: Mode = Field("off", description="off; shadow: said and recorded, without effect; on: acted on")
    confidence: Fraction = Field(0.7, description="how sure the rule is, shown in the exit reason")


class MomentumReversalSettings(ExitRuleSettings):
    """Leave a profit when momentum turns against it."""

    confidence: Fraction = Field(0.85, description="how sure the rule is, shown in the exit reason")
    momentum: float = Field(0.015, gt=0, le=0.5, description="move against the position, ratio of the price")
    period: int = Field(10, ge=1, le=100, description="candles the momentum looks back on")


class LowVolumeSettings(ExitRuleSettings):
    """Leave a profit that nobody trades."""

    confidence: Fraction = Field(0.75, description="how sure the rule is, shown in the exit reason")
    ratio: float = Field(0.5, gt=0, le=5, description="volume over its average, below which it is low")


class StagnationSettings(ExitRuleSettings):
    """Leave a position that goes nowhere."""

    confidence: Fraction = Field(0.70, description="how sure the rule is, shown in the exit reason")
    candles: int = Field(8, ge=1, le=1000, description="candles it must be held, and over which it is judged")
    change: float = Field(0.01, gt=0, le=0.2, description="least change of its profit in them, ratio")


class TrendChangeSettings(ExitRuleSettings):
    """Leave a profit when 1h and 4h have turned against it before 1d: the fusion's early warning (spec 004)."""

    confidence: Fraction = Field(
        0.60, description="how sure the rule is, shown in the exit reason (no documented one)"
    )


class ScaleOutSettings(Section):
    """Take part of a profit above the second target, and part of the rest above the third."""

    mode: Mode = Field("off", description="off; shadow: said and recorded, without effect; on: acted on")
    share: float = Field(0.33, ge=0.25, le=0.50, description="share of the position that is closed")


class TargetFollowingSettings(Section):
    """Targets that move out while momentum and trend run the trade's way, and in when they turn (spec 000)."""

    mode: Mode = Field(
        "off", description="off; on: targets follow (shadow would say nothing and counts as off)"
    )
    weight: Fraction = Field(0.25, description="greatest change of the target's distance, ratio")
    full_momentum: float = Field(0.03, gt=0, le=0.5, description="momentum that counts in full, ratio")
    full_adx: float = Field(50.0, ge=10, le=100, description="ADX from which a trend counts in full, points")


class ExitsSettings(Section):
    """Adaptive exits (spec 004 section 3). Exits never listen to ML."""

    baseline_turn: bool = Field(
        True,
        description="leave when the baseline turns against the position and the price is beyond the exit MA",
    )
    channel: bool = Field(
        False, description="leave when the price breaks baseline.exit_channel against the position"
    )
    moving_average: bool = Field(
        False, description="leave when the price is beyond baseline.exit_ma against the position"
    )
    targets: tuple[float, ...] = Field(
        (0.02, 0.04, 0.06), description="profit targets before the volatility multiplier, three ratios"
    )
    volatility_center: Fraction = Field(0.03, description="daily volatility at which the multiplier is 1")
    volatility_slope: float = Field(5.0, ge=0, le=50, description="multiplier per unit of daily volatility")
    multiplier_minimum: float = Field(0.5, gt=0, le=1, description="the multiplier is never below")
    multiplier_maximum: float = Field(2.0, ge=1, le=10, description="nor above")
    trailing_by_volatility: bool = Field(
        False, description="trailing distances (stops section) are multiplied too"
    )
    trailing_by_momentum: bool = Field(
        False,
        description="trailing distances are wider while momentum runs the trade's way and tighter when it turns, by "
        "weight and full_momentum of target_following",
    )
    momentum_reversal: MomentumReversalSettings = MomentumReversalSettings()
    low_volume: LowVolumeSettings = LowVolumeSettings()
    stagnation: StagnationSettings = StagnationSettings()
    trend_change: TrendChangeSettings = TrendChangeSettings()
    scale_out: ScaleOutSettings = ScaleOutSettings()
    target_following: TargetFollowingSettings = TargetFollowingSettings()

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return lists_to_tuples(data, "targets")

    @model_validator(mode="after")
    def _ordered(self) -> ExitsSettings:
        if len(self.targets) != 3 or not 0 < self.targets[0] < self.targets[1] < self.targets[2] <= 1:
            raise ValueError("targets must be three ascending ratios, above 0 and up to 1")
        return self
