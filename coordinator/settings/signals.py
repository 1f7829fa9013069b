"""Settings of the signals: the technical baseline, the market regime, the multi-timeframe fusion."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from coordinator.settings.base import Fraction, Mode, Section, lists_to_tuples

__all__ = [
    "CLOCK_SECONDS",
    "TRIGGERS",
    "BaselineSettings",
    "ClockName",
    "FusionSettings",
    "RegimeSettings",
    "TriggerName",
]

ClockName = Literal["1h", "4h", "1d"]
CLOCK_SECONDS: dict[ClockName, int] = {"1h": 3600, "4h": 14400, "1d": 86400}
TriggerName = Literal["baseline_turn", "trend_following", "mean_reversion", "breakout", "momentum"]
TRIGGERS: tuple[TriggerName, ...] = get_args(TriggerName)


class BaselineSettings(Section):
    """The technical baseline and its four tactics (spec 000, 001 and the parameter table of 002).

    Every "candles" here are the clock's: the timeframe that the baseline reads. It decides at every hourly close all
    the same, on the clock's closed candles and the hour's price. The parameter table of spec 002 is a daily system's.
    """

    ascending: ClassVar = (
        ("ema_fast", "ema_slow"),
        ("exit_channel", "fast_channel"),
        ("fast_channel", "slow_channel"),
    )

    clock: ClockName = Field("1h", description="timeframe of the indicators, channels, averages and ATR")
    triggers: tuple[TriggerName, ...] = Field(
        TRIGGERS, min_length=1, description="what makes a signal: the baseline's turn, and tactics by name"
    )
    rearm: Mode = Field(
        "off",
        description="a channel trend is a signal again at the close of each clock candle; shadow: recorded, not taken",
    )
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
    exit_channel: int = Field(10, ge=2, le=99, description="channel whose break ends a trend, candles")
    fast_clearance: float = Field(0.005, ge=0, le=0.02, description="close beyond the fast channel, ratio")
    slow_clearance: float = Field(
        0.01, ge=0.005, le=0.025, description="close beyond the slow channel, ratio"
    )
    trend_ma: Literal[20, 50, 100] = Field(50, description="eligibility: longs above, shorts below this SMA")
    exit_ma: Literal[20, 50] = Field(20, description="a reversal exits only beyond this SMA")
    momentum_period: int = Field(12, ge=2, le=100, description="candles of the momentum tactic's return")
    momentum_sigmas: float = Field(2.0, ge=0.5, le=6, description="return in its own standard deviations")
    direction_score: float = Field(0.45, ge=0.05, le=0.95, description="|score| that is a direction")

    @property
    def clock_seconds(self) -> int:
        """Length of a candle of the clock."""
        return CLOCK_SECONDS[self.clock]

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, data: Any) -> Any:
        return lists_to_tuples(data, "triggers")


MARKET_REGIMES = ("bull", "bear", "neutral", "high_vol", "low_vol")
VOLATILITY_LEVELS = ("low", "medium", "high")


class RegimeSettings(Section):
    """Market regime and volatility level (spec 004; DESIGN.md 4.8)."""

    ascending: ClassVar = (("volatility_low", "volatility_high"),)

    volatility_low: float = Field(0.03, gt=0, le=0.5, description="daily volatility below this is low, ratio")
    volatility_high: float = Field(
        0.06, gt=0, le=0.5, description="daily volatility from this on is high, ratio"
    )
    trend_period: int = Field(100, ge=20, le=200, description="SMA that separates bull from bear, candles")
    adx_trend: float = Field(20.0, ge=5, le=60, description="a bull or bear regime needs this ADX, points")
    surge_ratio: float = Field(1.5, gt=1, le=5, description="1-day over 7-day volatility that is high_vol")
    gate: Mode = Field(
        "off",
        description="longs only while the reference pair is above its average, shorts only below; shadow: recorded",
    )
    gate_average: int = Field(100, ge=2, le=200, description="that average, candles of the baseline's clock")
    avoid: tuple[str, ...] = Field(
        (),
        description="states of the pair's own market in which it is not entered: a regime (bear), a volatility level "
        "(high), or both (bear_high)",
    )
    avoid_mode: Mode = Field("on", description="of avoid; shadow: recorded, without effect")
    reference: str | None = Field(
        None, description="pair that stands for the market; null: BTC in the stake currency"
    )

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, data: Any) -> Any:
        return lists_to_tuples(data, "avoid")

    @model_validator(mode="after")
    def _known_states(self) -> RegimeSettings:
        names = (*MARKET_REGIMES, *VOLATILITY_LEVELS)
        known = {*names, *(f"{regime}_{level}" for regime in MARKET_REGIMES for level in VOLATILITY_LEVELS)}
        unknown = [name for name in self.avoid if name not in known]
        if unknown:
            raise ValueError(
                f"avoid must name {', '.join(names)} or two of them, bear_high say, not {unknown[0]}"
            )
        return self


class FusionSettings(Section):
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
