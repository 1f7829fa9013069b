"""Correlations of the analysed pairs as of their last refresh, shared by every limit that reads them."""

from __future__ import annotations

from coordinator.portfolio.correlation import ReturnPanel
from coordinator.portfolio.market_prices import MarketPrices
from coordinator.settings.improvements import CorrelationFilterSettings
from coordinator.types import Floats

__all__ = ["CorrelationCache"]


class CorrelationCache:
    """One matrix for all pairs, computed on first use and kept until the next refresh (``update_minutes``)."""

    def __init__(self, prices: MarketPrices) -> None:
        self._prices = prices
        self._matrix: tuple[ReturnPanel, int, int, Floats] | None = None

    def of(self, pair: str, time: int, settings: CorrelationFilterSettings) -> dict[str, float]:
        """Of a pair with each other analysed pair, -1..1, NaN where unknown; empty for a pair not analysed.

        Parameters
        ----------
        time : open time of the last closed candle
        """
        panel = self._prices.returns()
        interval = settings.update_minutes * 60
        moment = time // interval * interval
        known = self._matrix
        if known is None or known[0] is not panel or known[1:3] != (moment, settings.window):
            known = self._matrix = panel, moment, settings.window, panel.correlations(moment, settings.window)
        if pair not in panel.pairs:
            return {}
        row = known[3][panel.pairs.index(pair)].tolist()
        return dict(zip(panel.pairs, row, strict=True))
