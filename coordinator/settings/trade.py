"""Settings of a trade: costs, stops, targets, entry plans, size."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Mode, Section, lists_to_tuples

__all__ = [
    "CostSettings",
    "DcaSettings",
    "EarnedRiskSettings",
    "SizingSettings",
    "StopSettings",
    "TargetSettings",
    "VolatilityTargetSettings",
]


class CostSettings(Section):
    """Costs of a virtual trade (spec 003: 0.165 % in total, hence the target's gross-up of 1.00165).

    ``fee`` is the one that counts; ``run_settings`` takes it from Freqtrade's own ``fee`` where that is set, and in
    futures from ``futures_fee``.
    """

    fee: float = Field(
        0.001, ge=0, le=0.01, description="exchange fee per side, ratio of the order's value; in spot"
    )
    futures_fee: float = Field(
        0.0005, ge=0, le=0.01, description="the same in futures (Binance, taker, lowest tier: .05 %)"
    )
    slippage: float = Field(0.0003, ge=0, le=0.01, description="slippage per side, ratio of the price")
    cost_factor: float = Field(1.00165, ge=1, le=1.02, description="targets are multiplied by this factor")


class StopSettings(Section):
    """Initial and trailing stop (spec 000, 003: sl_buf_atr 1.5; spec 004 for the hard limit and the tiers).

    "Candles" are those of the baseline's clock; the documented hard limit of 3 % is an hourly trade's.
    """

    basis: Literal["support", "price"] = Field(
        "support", description="ATRs below support / above resistance, or from the price of the signal"
    )
    atr_period: int = Field(14, ge=2, le=100, description="candles")
    atr_multiple: float = Field(
        1.5, ge=1.5, le=4.0, description="ATRs to the stop (spec 002: hard_stop_atr_mult)"
    )
    support_period: int = Field(
        10, ge=2, le=200, description="candles whose low is support, whose high resistance"
    )
    hard_limit: float = Field(0.03, gt=0, le=0.5, description="widest stop distance, ratio of the price")
    minimum: float = Field(0.005, gt=0, le=0.1, description="narrowest stop distance, ratio of the price")
    trailing_start: float | None = Field(
        0.01, ge=0, le=0.5, description="best profit from which the stop trails, ratio; null: it never does"
    )
    trailing_profits: tuple[float, ...] = Field(
        (0.02, 0.04, 0.06), description="best profits that tighten, ratios"
    )
    trailing_distances: tuple[float, ...] = Field(
        (0.03, 0.025, 0.02, 0.015),
        description="trailing distance below, between and above those profits, ratios",
    )

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return lists_to_tuples(data, "trailing_profits", "trailing_distances")

    @model_validator(mode="after")
    def _consistent(self) -> StopSettings:
        if self.minimum >= self.hard_limit:
            raise ValueError("minimum must be below hard_limit")
        if len(self.trailing_distances) != len(self.trailing_profits) + 1:
            raise ValueError("trailing_distances must have one entry more than trailing_profits")
        if list(self.trailing_profits) != sorted(set(self.trailing_profits)):
            raise ValueError("trailing_profits must ascend")
        if any(not 0 < distance < 1 for distance in self.trailing_distances):
            raise ValueError("trailing_distances must be between 0 and 1")
        return self


class TargetSettings(Section):
    """Reward:risk and the time limit of a trade (spec 003: 2.5)."""

    enabled: bool = Field(
        True, description="false: no target, a trade runs until a stop, an exit or the limit"
    )
    reward_risk: float = Field(2.5, ge=1.0, le=4.0, description="target distance in stop distances")
    horizon: int = Field(
        48,
        ge=2,
        le=480,
        description="candles of the baseline's clock after which a trade is closed; 20 days at most",
    )


class DcaSettings(Section):
    """Entry plans by confidence (spec 000): two, three or four tranches."""

    high_confidence: Fraction = Field(0.75, description="two tranches from this confidence on")
    medium_confidence: Fraction = Field(0.65, description="three tranches from here, four below")
    sizes_2: tuple[float, ...] = Field((0.60, 0.40), description="sizes of two tranches, shares of the plan")
    sizes_3: tuple[float, ...] = Field((0.40, 0.35, 0.25), description="sizes of three tranches")
    sizes_4: tuple[float, ...] = Field((0.30, 0.27, 0.23, 0.20), description="sizes of four tranches")
    enabled: bool = Field(True, description="false: every position is entered at once")
    most_tranches: int = Field(
        4,
        ge=1,
        le=4,
        description="tranches at most, later ones join the last; Freqtrade's max_entry_position_adjustment and "
        "position_adjustment_enable lower it",
    )
    spacing: float = Field(0.005, gt=0, le=0.1, description="price distance between tranches, ratio")
    spacing_mode: Literal["fixed", "atr"] = Field(
        "fixed", description="fixed: spacing as it is; atr: atr_spacing ATRs of the signal's candle"
    )
    atr_spacing: float = Field(0.5, gt=0, le=5, description="price distance between tranches, ATRs")
    expiry: int = Field(24, ge=1, le=1000, description="candles after which tranches that wait are cancelled")
    cancel_on_reversal: bool = Field(
        True, description="tranches that wait are cancelled when the baseline turns against the position"
    )

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return lists_to_tuples(data, "sizes_2", "sizes_3", "sizes_4")

    @model_validator(mode="after")
    def _consistent(self) -> DcaSettings:
        for count in (2, 3, 4):
            sizes = getattr(self, f"sizes_{count}")
            if len(sizes) != count or abs(sum(sizes) - 1) > 1e-9 or min(sizes) <= 0:
                raise ValueError(f"sizes_{count} must be {count} positive numbers with the sum 1")
        if self.medium_confidence > self.high_confidence:
            raise ValueError("medium_confidence must not exceed high_confidence")
        return self


class EarnedRiskSettings(Section):
    """Less risk while the baseline's own virtual trades lose (``decision.earned_risk``)."""

    mode: Mode = Field("off", description="off; shadow: learned and recorded, without effect; on: acted on")
    days: int = Field(120, ge=10, le=1000, description="days of virtual trades that are looked back on")
    share: Fraction = Field(0.3, description="share of the risk while they sum to no profit")
    minimum_outcomes: int = Field(
        20, ge=1, le=10_000, description="virtual trades in these days before it counts"
    )


class VolatilityTargetSettings(Section):
    """A bound on the portfolio's volatility beside the risk budget; entries only (``trade.volatility_target``)."""

    mode: Mode = Field(
        "off", description="off; shadow: worked out and recorded, without effect; on: acted on"
    )
    annual: float = Field(
        0.3, gt=0, le=5, description="standard deviation of the account's return in a year, ratio"
    )
    window: int = Field(720, ge=48, le=900, description="hourly candles of returns it is estimated from")


class SizingSettings(Section):
    """Position size from the risk at the stop (spec 002: 0.5-1.5 %)."""

    risk_per_trade: float = Field(0.01, ge=0.005, le=0.015, description="equity lost at the stop, ratio")
    leverage: float = Field(1.0, ge=1, le=20, description="leverage in futures")
    kelly_mode: Mode = Field("off", description="cap the risk by Kelly; shadow: recorded, without effect")
    kelly_fraction: Fraction = Field(0.5, description="share of the full Kelly bet (half Kelly)")
    kelly_minimum: float = Field(
        0.005, ge=0, le=0.015, description="the cap is never below this equity lost at the stop, ratio"
    )
    max_open_risk: float = Field(
        0.06, ge=0.005, le=1, description="equity lost if every open plan is stopped out in full, ratio"
    )
    earned: EarnedRiskSettings = EarnedRiskSettings()
    volatility_target: VolatilityTargetSettings = VolatilityTargetSettings()
