"""Settings of the hyperopt losses (``hyperopts/``)."""

from __future__ import annotations

from pydantic import Field

from coordinator.settings.base import Section

__all__ = ["HyperoptSettings"]


class HyperoptSettings(Section):
    """What the losses hold an epoch against. They change no trade, and a bot's run is the same with others."""

    least_trades: int = Field(
        30, ge=1, le=10_000, description="CalmarFloorHyperOptLoss: with fewer trades any epoch is worse"
    )
    drawdown_bound: float = Field(
        0.2, gt=0, lt=1, description="DrawdownBoundedProfitHyperOptLoss: drawdown that costs nothing, ratio"
    )
    sharpe_spread: float = Field(
        0.5,
        gt=0,
        le=5,
        description="DeflatedSharpeHyperOptLoss: standard deviation assumed of the epochs' Sharpe ratios, per year",
    )
