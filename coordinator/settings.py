"""The "coordinator" section of config.json as frozen, validated models.

Every field carries its unit and range; unknown keys are errors. ``coordinator settings schema`` prints the JSON
schema. Ratios are fractions of one (0.03 is 3 %), confidences are 0..1, times are candles of the strategy's
timeframe unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coordinator.errors import CoordinatorError

__all__ = [
    "BaselineSettings",
    "CostSettings",
    "DcaSettings",
    "DecisionSettings",
    "FusionSettings",
    "LearningSettings",
    "RegimeSettings",
    "Settings",
    "SizingSettings",
    "StopSettings",
    "TargetSettings",
    "load_settings",
]

SECTION = "the coordinator section of the Freqtrade config"

Fraction = Annotated[float, Field(ge=0, le=1)]


def _lists_to_tuples(data: Any, *keys: str) -> Any:
    """JSON has lists only; strict models want tuples."""
    if not isinstance(data, Mapping):
        return data
    return {k: tuple(v) if k in keys and isinstance(v, list) else v for k, v in data.items()}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class CostSettings(_Section):
    """Costs of a virtual trade (spec 003: 0.165 % in total, hence the target's gross-up of 1.00165)."""

    fee: float = Field(0.001, ge=0, le=0.01, description="exchange fee per side, ratio of the order's value")
    slippage: float = Field(0.0003, ge=0, le=0.01, description="slippage per side, ratio of the price")
    cost_factor: float = Field(1.00165, ge=1, le=1.02, description="targets are multiplied by this factor")


class BaselineSettings(_Section):
    """The technical baseline and its four tactics (spec 000, 001 and the parameter table of 002)."""

    ema_fast: int = Field(12, ge=2, le=100, description="fast EMA, candles")
    ema_slow: int = Field(26, ge=3, le=200, description="slow EMA, candles")
    rsi_period: int = Field(14, ge=2, le=100, description="candles")
    rsi_oversold: float = Field(30.0, ge=5, le=50, description="RSI points; overbought is 100 minus this")
    adx_period: int = Field(14, ge=2, le=100, description="candles")
    adx_trend: float = Field(25.0, ge=5, le=60, description="ADX at or above this is a trend, points")
    bollinger_period: int = Field(20, ge=5, le=200, description="candles")
    bollinger_width: float = Field(2.0, ge=0.5, le=5, description="standard deviations")
    volume_period: int = Field(20, ge=2, le=200, description="candles of the average volume")
    volume_surge: float = Field(1.5, ge=1, le=10, description="volume / average that confirms a move")
    fast_channel: int = Field(20, ge=5, le=100, description="fast breakout channel, candles")
    slow_channel: int = Field(55, ge=10, le=200, description="slow breakout channel, candles")
    fast_clearance: float = Field(0.005, ge=0, le=0.02, description="close beyond the fast channel, ratio")
    slow_clearance: float = Field(
        0.01, ge=0.005, le=0.025, description="close beyond the slow channel, ratio"
    )
    trend_ma: Literal[20, 50, 100] = Field(50, description="eligibility: longs above, shorts below this SMA")
    exit_ma: Literal[20, 50] = Field(20, description="a reversal exits only beyond this SMA")
    momentum_period: int = Field(12, ge=2, le=100, description="candles of the momentum tactic's return")
    momentum_sigmas: float = Field(2.0, ge=0.5, le=6, description="return in its own standard deviations")
    direction_score: float = Field(0.45, ge=0.05, le=0.95, description="|score| that is a direction")

    @model_validator(mode="after")
    def _ordered(self) -> BaselineSettings:
        if self.ema_fast >= self.ema_slow:
            raise ValueError("ema_fast must be below ema_slow")
        if self.fast_channel >= self.slow_channel:
            raise ValueError("fast_channel must be below slow_channel")
        return self


class RegimeSettings(_Section):
    """Market regime and volatility level (spec 004; DESIGN.md 4.8)."""

    volatility_low: float = Field(0.03, gt=0, le=0.5, description="daily volatility below this is low, ratio")
    volatility_high: float = Field(
        0.06, gt=0, le=0.5, description="daily volatility from this on is high, ratio"
    )
    trend_period: int = Field(100, ge=20, le=200, description="SMA that separates bull from bear, candles")
    adx_trend: float = Field(20.0, ge=5, le=60, description="a bull or bear regime needs this ADX, points")
    surge_ratio: float = Field(1.5, gt=1, le=5, description="1-day over 7-day volatility that is high_vol")

    @model_validator(mode="after")
    def _ordered(self) -> RegimeSettings:
        if self.volatility_low >= self.volatility_high:
            raise ValueError("volatility_low must be below volatility_high")
        return self


class FusionSettings(_Section):
    """Multi-timeframe fusion (spec 004, section 2)."""

    weight_1h: Fraction = Field(0.25, description="weight of 1h")
    weight_4h: Fraction = Field(0.35, description="weight of 4h")
    weight_1d: Fraction = Field(0.40, description="weight of 1d")
    direction_score: float = Field(0.3, ge=0, lt=1, description="|weighted score| above this is a direction")
    score_share: Fraction = Field(0.6, description="share of |weighted score| in the confidence")
    agreement_share: Fraction = Field(0.25, description="share of the agreement in the confidence")
    consistency_share: Fraction = Field(0.15, description="share of the consistency in the confidence")
    consistency_signals: int = Field(5, ge=2, le=50, description="signals remembered per timeframe")

    @model_validator(mode="after")
    def _sums(self) -> FusionSettings:
        for keys in (
            ("weight_1h", "weight_4h", "weight_1d"),
            ("score_share", "agreement_share", "consistency_share"),
        ):
            total = sum(getattr(self, key) for key in keys)
            if abs(total - 1) > 1e-9:
                raise ValueError(f"{' + '.join(keys)} must be 1, but is {total:g}")
        return self


class DecisionSettings(_Section):
    """Votes to decision (DESIGN.md 4.1 and 4.2)."""

    ml_weight: float = Field(
        0.30, ge=0, le=0.70, description="say of ML in the unified score (spec 002: 30 %)"
    )
    threshold: Fraction = Field(0.70, description="unified confidence from which a signal is accepted")
    confidence_scale: Literal["percentile", "raw"] = Field(
        "percentile", description="percentile: causal rank among the component's last signals; raw: literal"
    )
    percentile_window: int = Field(500, ge=50, le=5000, description="signals a percentile looks back on")
    percentile_prior: int = Field(50, ge=1, le=500, description="pseudo-signals of the uniform prior")
    weight_lstm: Fraction = Field(0.25, description="documented vote weight of the LSTM")
    weight_fusion: Fraction = Field(0.20, description="documented vote weight of the fusion")
    weight_selector: Fraction = Field(0.15, description="documented vote weight of the selector")
    weight_attention: Fraction = Field(0.10, description="documented vote weight of the attention")


class LearningSettings(_Section):
    """The LSTM's label and training (spec 004, section 1)."""

    label_horizon: int = Field(12, ge=1, le=240, description="candles ahead that the label looks at")
    label_sigmas: float = Field(
        0.5, gt=0, le=5, description="move in horizon standard deviations that is BUY/SELL"
    )
    sequence_length: int = Field(10, ge=5, le=20, description="candles a prediction sees")
    epochs: int = Field(20, ge=1, le=1000, description="most passes over the training rows")
    patience: int = Field(
        3, ge=1, le=100, description="epochs without a better validation loss before stopping"
    )
    batch_size: int = Field(256, ge=8, le=65536, description="sequences per step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's step size")
    weight_decay: float = Field(1e-4, ge=0, le=1, description="AdamW's decoupled weight decay")
    validation_share: float = Field(
        0.15, gt=0, lt=0.5, description="latest share of the rows, kept for stopping"
    )
    seed: int = Field(42, ge=0, le=2**31 - 1, description="seed of every random number in training")


class StopSettings(_Section):
    """Initial and trailing stop (spec 000, 003: sl_buf_atr 1.5; spec 004 for the hard limit and the tiers)."""

    atr_period: int = Field(14, ge=2, le=100, description="candles")
    atr_multiple: float = Field(1.5, ge=1.5, le=4.0, description="ATRs below support / above resistance")
    support_period: int = Field(
        10, ge=2, le=200, description="candles whose low is support, whose high resistance"
    )
    hard_limit: float = Field(0.03, gt=0, le=0.2, description="widest stop distance, ratio of the price")
    minimum: float = Field(0.005, gt=0, le=0.1, description="narrowest stop distance, ratio of the price")
    trailing_start: float = Field(
        0.01, ge=0, le=0.5, description="best profit from which the stop trails, ratio"
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
        return _lists_to_tuples(data, "trailing_profits", "trailing_distances")

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


class TargetSettings(_Section):
    """Reward:risk and the time limit of a trade (spec 003: 2.5)."""

    reward_risk: float = Field(2.5, ge=1.0, le=4.0, description="target distance in stop distances")
    horizon: int = Field(48, ge=2, le=1000, description="candles after which a trade is closed undecided")


class DcaSettings(_Section):
    """Entry plans by confidence (spec 000): two, three or four tranches."""

    high_confidence: Fraction = Field(0.75, description="two tranches from this confidence on")
    medium_confidence: Fraction = Field(0.65, description="three tranches from here, four below")
    sizes_2: tuple[float, ...] = Field((0.60, 0.40), description="sizes of two tranches, shares of the plan")
    sizes_3: tuple[float, ...] = Field((0.40, 0.35, 0.25), description="sizes of three tranches")
    sizes_4: tuple[float, ...] = Field((0.30, 0.27, 0.23, 0.20), description="sizes of four tranches")
    spacing: float = Field(0.005, gt=0, le=0.1, description="price distance between tranches, ratio")

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return _lists_to_tuples(data, "sizes_2", "sizes_3", "sizes_4")

    @model_validator(mode="after")
    def _consistent(self) -> DcaSettings:
        for count in (2, 3, 4):
            sizes = getattr(self, f"sizes_{count}")
            if len(sizes) != count or abs(sum(sizes) - 1) > 1e-9 or min(sizes) <= 0:
                raise ValueError(f"sizes_{count} must be {count} positive numbers with the sum 1")
        if self.medium_confidence > self.high_confidence:
            raise ValueError("medium_confidence must not exceed high_confidence")
        return self


class SizingSettings(_Section):
    """Position size from the risk at the stop (spec 002: 0.5-1.5 %)."""

    risk_per_trade: float = Field(0.01, ge=0.005, le=0.015, description="equity lost at the stop, ratio")
    leverage: float = Field(1.0, ge=1, le=20, description="leverage in futures")


class Settings(_Section):
    """The whole "coordinator" section; a missing section means its defaults."""

    costs: CostSettings = CostSettings()
    baseline: BaselineSettings = BaselineSettings()
    regime: RegimeSettings = RegimeSettings()
    fusion: FusionSettings = FusionSettings()
    decision: DecisionSettings = DecisionSettings()
    learning: LearningSettings = LearningSettings()
    stops: StopSettings = StopSettings()
    targets: TargetSettings = TargetSettings()
    dca: DcaSettings = DcaSettings()
    sizing: SizingSettings = SizingSettings()


def load_settings(section: object) -> Settings:
    """Validate a "coordinator" section.

    Parameters
    ----------
    section : object
        The parsed JSON value; None means all defaults.

    Raises
    ------
    CoordinatorError
        Naming the first wrong key (dotted), the rule it breaks and the value received.

    Examples
    --------
    >>> load_settings({"decision": {"ml_weight": 0.2}}).decision.ml_weight
    0.2
    >>> load_settings({"decision": {"ml_wight": 0.2}})
    Traceback (most recent call last):
    coordinator.errors.CoordinatorError: The 'decision.ml_wight' of the coordinator section of the Freqtrade \
config must be a known key. Got 0.2 instead.
    """
    if section is None:
        return Settings()
    if not isinstance(section, Mapping):
        raise CoordinatorError("coordinator", "the Freqtrade config", "be an object of settings", section)
    try:
        return Settings.model_validate(dict(section))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "coordinator"
        raise CoordinatorError(name, SECTION, _rule(first["type"], first["msg"]), first["input"]) from None


def _rule(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "be a known key"
    message = message.removeprefix("Value error, ")
    if message.startswith("Input should be "):
        return "be " + message.removeprefix("Input should be ")
    return f"hold together: {message}"
