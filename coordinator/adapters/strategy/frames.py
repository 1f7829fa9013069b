"""How Freqtrade starts a strategy, and the frames that it hands over.

The rows in front of a pair's first candle are kept from what reads them; a user's mistake at the start is one line.

``signals.CoordinatorStrategy`` adds the signals. Linear inheritance: mixins break hyperopt's pickling.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException, StrategyError
from pandas import DataFrame

from coordinator.adapters.strategy.late_pairs import with_startup_rows
from coordinator.adapters.strategy.trades import TradeStrategy
from coordinator.candles.known import on_known_candles
from coordinator.shipped import IGNORE_PARAMETER_FILES

__all__ = ["FrameStrategy"]

logger = logging.getLogger(__name__)


class FrameStrategy(TradeStrategy):
    """Everything but the signals, over frames that may begin late."""

    def ft_bot_start(self, **kwargs: Any) -> None:
        """As in Freqtrade, whose wrapper of ``bot_start`` would log a traceback before the line with the mistake."""
        self.load_freqAI_model()
        try:
            self.bot_start()
        except FreqtradeException:
            raise
        except Exception as error:
            logger.exception("The strategy could not be started")
            raise StrategyError(str(error)) from error
        self.ft_load_hyper_params(self.config.get("runmode") == RunMode.HYPEROPT)

    def load_params_from_file(self) -> dict[str, Any]:
        """As in Freqtrade, but for a run that compares strategies on the settings of one config."""
        return {} if self.config.get(IGNORE_PARAMETER_FILES) else super().load_params_from_file()

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
