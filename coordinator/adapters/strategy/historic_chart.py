"""FreqUI's historic chart (``pair_history`` in webserver mode) shows what a backtest of its timerange decides.

Freqtrade analyses the chart's pair alone there, with the strategy's startup candles only. A decision needs the other
pairs (pooled models, calibration, ML's weight), and FreqAI the candles that it trains on: both are read from the data
directory as a backtest does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.enums import RunMode
from pandas import DataFrame

from coordinator.adapters.pairs import traded_pairs
from coordinator.candles.check import COLUMNS
from coordinator.signals.candles import open_seconds, timeframe_seconds

__all__ = ["HistoricChart"]

logger = logging.getLogger(__name__)


class HistoricChart:
    """Completes the candles of a chart; does nothing in any other mode.

    Parameters
    ----------
    config : Freqtrade's
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._analysed: set[str] = set()
        self._first: dict[str, pd.Timestamp] = {}

    def candles(self, dataframe: DataFrame, pair: str, dp: Any) -> DataFrame:
        """The chart's candles with those before them that a backtest would read."""
        if self._config.get("runmode") != RunMode.WEBSERVER or not len(dataframe):
            return dataframe
        timeframe = self._config["timeframe"]
        stored = dp.get_pair_dataframe(pair, timeframe)
        before = stored[stored["date"] < dataframe["date"].iloc[0]] if len(stored) else stored
        if not len(before):
            return dataframe
        whole = pd.concat((before[[*COLUMNS]], dataframe[[*COLUMNS]]), ignore_index=True)
        if not (np.diff(open_seconds(whole)) == timeframe_seconds(timeframe)).all():
            return dataframe
        self._first[pair] = dataframe["date"].iloc[0]
        return whole

    def shown(self, dataframe: DataFrame, pair: str) -> DataFrame:
        """The rows that Freqtrade asked for: it cuts off the startup candles by their number."""
        first = self._first.get(pair)
        if first is None:
            return dataframe
        return dataframe[dataframe["date"] >= first].reset_index(drop=True)

    def analyse_others(
        self, pair: str, dp: Any, analyse: Callable[[DataFrame, dict[str, Any]], DataFrame]
    ) -> None:
        """Analyse the other pairs of the whitelist, once each.

        Parameters
        ----------
        analyse : the strategy's ``populate_indicators``
        """
        if self._config.get("runmode") != RunMode.WEBSERVER or self._analysed:
            return
        self._analysed = {pair, *traded_pairs(self._config, dp)}
        for other in sorted(self._analysed - {pair}):
            frame = dp.get_pair_dataframe(other, self._config["timeframe"])
            if len(frame):
                analyse(frame, {"pair": other})
            else:
                logger.warning("%s has no candles in the chart's timerange: decided without it", other)
