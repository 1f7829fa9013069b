"""Settings of what protects the portfolio as a whole: the hedge, the lock on longs, the protection."""

from __future__ import annotations

from pydantic import Field

from coordinator.settings.base import Fraction, Mode, Section

__all__ = ["HedgeSettings", "PortfolioSettings", "ProtectionSettings"]


class HedgeSettings(Section):
    """When the portfolio is hedged and how (spec 000 section 3; DESIGN.md 4.9). ML has no part in it.

    In futures a dedicated pair is shorted; in spot longs are locked and open positions scaled out once.

    Notes
    -----
    The drawdown is measured from the highest equity of the last ``peak_days`` days, not of all time: a strategy
    that stands still would otherwise never fall below the release level again and stay locked for ever. So a hedge or
    lock without a new fall of the equity lasts ``peak_days`` at most.

    The median correlation of two crypto pairs is about .74: a correlation trigger below some .95 would hedge all the
    time. It and the volatility's are off by default.
    """

    mode: Mode = Field("off", description="off; shadow: decided and recorded, without effect; on: acted on")
    pair: str | None = Field(
        None,
        description="futures pair shorted as the hedge and not traded otherwise; null: BTC in the stake currency",
    )
    share: float = Field(0.5, gt=0, le=1, description="notional of the hedge, share of the net long exposure")
    drawdown: float = Field(
        0.10, gt=0, lt=1, description="drawdown of the equity (open trades included) above this hedges, ratio"
    )
    volatility: float | None = Field(
        None,
        gt=0,
        le=1,
        description="daily volatility of the pairs' mean above this hedges, ratio; null: never",
    )
    correlation: float | None = Field(
        None, gt=0, lt=1, description="average correlation of the pairs above this hedges; null: never"
    )
    window: int = Field(
        100, ge=20, le=1000, description="candles that volatility and correlation look back on"
    )
    release: Fraction = Field(
        0.5, description="the hedge ends when drawdown and volatility are below this share of their triggers"
    )
    correlation_release: Fraction = Field(
        0.9, description="and the average correlation below this share of its own"
    )
    tolerance: Fraction = Field(
        0.2, description="the hedge is rebalanced when off its size by more than this share of it"
    )
    peak_days: int = Field(30, ge=1, le=3650, description="days that the equity's peak looks back on")
    scale_out: float = Field(
        0.5,
        ge=0,
        le=0.9,
        description="share of each open position sold once when longs are locked (spot); 0: none",
    )


class ProtectionSettings(Section):
    """The Freqtrade protection PortfolioGuard; it is asked after a trade closes (backtests: --enable-protections)."""

    enabled: bool = Field(False, description="whether the strategy brings PortfolioGuard along")
    lock_minutes: int = Field(
        1440,
        ge=1,
        le=100_000,
        description="how long a drawdown above the hedge's trigger locks entries, minutes",
    )
    both_sides: bool = Field(False, description="true: shorts are locked too")


class PortfolioSettings(Section):
    """Protection of the portfolio as a whole."""

    max_positions: int | None = Field(
        None,
        ge=1,
        le=100,
        description="open positions at most, the hedge aside; null: Freqtrade's max_open_trades",
    )
    hedge: HedgeSettings = HedgeSettings()
    protection: ProtectionSettings = ProtectionSettings()
