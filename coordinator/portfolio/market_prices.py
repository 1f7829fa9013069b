"""What the portfolio's rules may know of the market: closed candles' prices and returns."""

from __future__ import annotations

from typing import Protocol

from coordinator.portfolio.correlation import ReturnPanel

__all__ = ["MarketPrices"]


class MarketPrices(Protocol):
    """Prices of all analysed pairs; ``coordinator.run.market.AnalysedMarket`` is one."""

    def last_candle(self) -> int:
        """Open time of the newest candle, seconds since the epoch; 0 without any."""

    def close_at(self, pair: str, time: int) -> float | None:
        """Close of a pair's last candle that opened at ``time`` or before; None where there is none."""

    def returns(self) -> ReturnPanel:
        """All pairs' returns side by side; the same object until a candle arrives."""
