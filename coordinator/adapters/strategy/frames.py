"""The frames that Freqtrade hands over, with the rows in front of a pair's first candle kept from what reads them.

``signals.CoordinatorStrategy`` adds the signals. Linear inheritance: mixins break hyperopt's pickling.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pandas import DataFrame

from coordinator.adapters.strategy.late_pairs import with_startup_rows
from coordinator.adapters.strategy.trades import TradeStrategy
from coordinator.candles.known import on_known_candles

__all__ = ["FrameStrategy"]


class FrameStrategy(TradeStrategy):
    """Everything but the signals, over frames that may begin late."""

    def advise_all_indicators(self, data: dict[str, DataFrame]) -> dict[str, DataFrame]:
        """As in Freqtrade; the startup that it cuts off each pair is empty rows where the pair has no candles yet."""
        startup = self.enterable.startup = self.dp.get_required_startup(self.timeframe)
        return with_startup_rows(super().advise_all_indicators(data), self.config, startup)

    def ft_advise_signals(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """As in Freqtrade, on the candles behind those empty rows."""
        self.enterable.put(metadata["pair"], dataframe["date"])
        return on_known_candles(dataframe, partial(super().ft_advise_signals, metadata=metadata))

    def analyze_ticker(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """As in Freqtrade, on the candles that have prices: a broken answer of an exchange leaves empty rows before."""
        return on_known_candles(dataframe, partial(super().analyze_ticker, metadata=metadata))
