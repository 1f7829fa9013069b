"""Settings of the improvements of spec 003: each with its own mode, its roll-out by pair and its range.

Adaptive thresholds, the fourth of them, have their own section (``thresholds``); the two global switches hold for
them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from coordinator.settings.base import Fraction, Mode, Section, lists_to_tuples
from coordinator.settings.trust import TrustSettings

__all__ = [
    "AdjustmentSettings",
    "CorrelationFilterSettings",
    "DynamicRewardRiskSettings",
    "ImprovementSettings",
    "ImprovementsSettings",
    "VolatilitySizingSettings",
]

SECTORS = {
    "layer1": ("ETH", "SOL", "ADA", "AVAX"),
    "payments": ("BTC", "LTC", "XRP"),
    "defi": ("AAVE", "CRV", "LINK", "UNI"),
    "memes": ("DOGE", "SHIB"),
}


class ImprovementSettings(Section):
    """What every improvement has."""

    mode: Mode = Field(
        "off", description="off; shadow: worked out and recorded, without effect; on: recorded and acted on"
    )
    pairs: tuple[str, ...] = Field((), description="pairs it is rolled out to; empty means all")

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return lists_to_tuples(data, "pairs")


class AdjustmentSettings(ImprovementSettings):
    """An improvement that changes a number.

    How far it may go is learned from its effect (``trust``), unless ``range`` fixes it.
    """

    range: float | None = Field(
        None,
        gt=0,
        le=1,
        description="greatest change either way, share of the base, fixed; null: as far as it is trusted",
    )


class DynamicRewardRiskSettings(AdjustmentSettings):
    """Reward:risk by market condition (spec 003 section 1; DESIGN.md 4.6). The base is ``targets.reward_risk``."""

    ascending: ClassVar = (("minimum", "maximum"),)

    minimum: float = Field(1.5, ge=1, le=4, description="never below (nor below a lower base)")
    maximum: float = Field(4.0, ge=1, le=10, description="never above (nor above a higher base)")
    volatility_weight: Fraction = Field(0.4, description="greatest change by the volatility, ratio")
    trend_weight: Fraction = Field(0.4, description="greatest change by the trend, ratio")
    session_weight: Fraction = Field(0.2, description="greatest change by the hour's activity, ratio")
    full_adx: float = Field(50.0, ge=10, le=100, description="ADX from which a trend counts in full, points")
    session_days: int = Field(7, ge=2, le=8, description="days that an hour's usual volume looks back on")


class VolatilitySizingSettings(AdjustmentSettings):
    """Size by volatility (spec 003 section 4); low, normal and high are the levels of ``regime``."""

    ascending: ClassVar = (("atr_low", "atr_high"),)

    low: float = Field(1.2, gt=0, le=1.5, description="multiplier of the size at low volatility")
    normal: float = Field(1.0, gt=0, le=1.5, description="at normal volatility")
    high: float = Field(0.7, gt=0, le=1.5, description="at high volatility")
    extreme: float = Field(0.5, gt=0, le=1.5, description="at extreme volatility")
    extreme_volatility: float = Field(
        0.10, gt=0, le=1, description="daily volatility from this on is extreme, ratio"
    )
    use_atr_scaling: bool = Field(True, description="fine-tune by the ATR's percentile")
    atr_high: Fraction = Field(0.8, description="ATR percentile above this takes atr_high_multiplier")
    atr_low: Fraction = Field(0.2, description="ATR percentile below this takes atr_low_multiplier")
    atr_high_multiplier: float = Field(0.8, gt=0, le=1.5, description="further multiplier of the size")
    atr_low_multiplier: float = Field(1.2, gt=0, le=1.5, description="further multiplier of the size")
    max_increase: float = Field(1.5, ge=1, le=1.5, description="never more than this times the base size")


class CorrelationFilterSettings(ImprovementSettings):
    """Limits on positions that move together (spec 003 section 2)."""

    window: int = Field(100, ge=20, le=200, description="candles of log returns a correlation looks back on")
    threshold: Fraction = Field(0.7, description="|correlation| above this counts")
    max_correlated: int = Field(
        2, ge=1, le=100, description="correlated positions at which there is no entry"
    )
    update_minutes: int = Field(60, ge=1, le=1440, description="how often correlations are worked out anew")
    use_sectors: bool = Field(True, description="limit the positions per sector too")
    max_per_sector: int = Field(
        3, ge=1, le=100, description="positions in a sector at which there is no entry"
    )
    sectors: Mapping[str, tuple[str, ...]] = Field(
        SECTORS, description="coins of each sector; a coin in none is not limited"
    )

    @field_validator("sectors", mode="before")
    @classmethod
    def _coins(cls, value: Any) -> Any:
        return lists_to_tuples(value, *value) if isinstance(value, Mapping) else value

    @model_validator(mode="after")
    def _once(self) -> CorrelationFilterSettings:
        coins = [coin for members in self.sectors.values() for coin in members]
        twice = sorted({coin for coin in coins if coins.count(coin) > 1})
        if twice:
            raise ValueError(f"a coin may be in one sector only, unlike {', '.join(twice)}")
        return self


class ImprovementsSettings(Section):
    """The improvements of spec 003, off by default (DESIGN.md 4.11)."""

    enabled: bool = Field(True, description="false: all improvements are off, adaptive thresholds too")
    shadow: bool = Field(False, description="true: every improvement that is on is in shadow mode instead")
    trust: TrustSettings = TrustSettings()
    dynamic_reward_risk: DynamicRewardRiskSettings = DynamicRewardRiskSettings()
    volatility_sizing: VolatilitySizingSettings = VolatilitySizingSettings()
    correlation_filter: CorrelationFilterSettings = CorrelationFilterSettings()

    def effective(self, mode: Mode) -> Mode:
        """A mode under the global switches."""
        if not self.enabled:
            return "off"
        return "shadow" if self.shadow and mode == "on" else mode

    def mode_of(self, improvement: ImprovementSettings, pair: str) -> Mode:
        """An improvement's mode for a pair: off where it is not rolled out to it."""
        if improvement.pairs and pair not in improvement.pairs:
            return "off"
        return self.effective(improvement.mode)
