"""Where the composite's candles come from: the data directory, FreqAI's memory and Freqtrade's data provider."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType
from pandas import DataFrame

from coordinator.adapters.run_modes import MODES_WITH_TRADES
from coordinator.candles.known import known_candles
from coordinator.components.market_history import BASE, MarketHistory, PairHistory
from coordinator.settings import Settings
from coordinator.signals.candles import Candles, open_seconds, timeframe_seconds
from coordinator.signals.fusion import TIMEFRAMES
from coordinator.signals.higher_candles import complete_higher

__all__ = ["MarketSource"]

logger = logging.getLogger(__name__)

COLUMNS = ["date", "open", "high", "low", "close", "volume"]
Memory = Mapping[str, Mapping[str, DataFrame]]


class MarketSource:
    """Reads the market of a run.

    Parameters
    ----------
    config : Freqtrade's
    settings : Settings
    """

    def __init__(self, config: dict[str, Any], settings: Settings) -> None:
        self._config, self._settings = config, settings
        self._candle_type = CandleType.get_default(config.get("trading_mode", "spot"))
        self._can_short = config.get("trading_mode", "spot") == "futures"

    def full_history(self, pairs: Iterable[str], dp: Any, memory: Memory) -> MarketHistory:
        """All history there is: files, and newer candles from FreqAI's memory and the data provider.

        A bot's data directory may hold candles that have not closed yet (a sandbox's does): they are left out.
        """
        live = self._config.get("runmode") in MODES_WITH_TRADES
        now = int(time.time()) if live else None
        histories: dict[str, PairHistory] = {}
        for pair in pairs:
            frames = {
                name: _join(
                    [
                        self._provided(dp, pair, name, live),
                        memory.get(pair, {}).get(name),
                        self._stored(pair, name),
                    ],
                    name,
                    now,
                )
                for name in TIMEFRAMES
            }
            if len(frames[BASE]):
                histories[pair] = PairHistory(_complete(frames) if live else frames)
        return MarketHistory(histories, self._settings, can_short=self._can_short)

    def latest_candles(self, pairs: Iterable[str], dp: Any) -> MarketHistory:
        """What the data provider has: a bot's newest candles."""
        histories: dict[str, PairHistory] = {}
        for pair in pairs:
            frames = {name: _join([dp.get_pair_dataframe(pair, name)], name) for name in TIMEFRAMES}
            if len(frames[BASE]):
                histories[pair] = PairHistory(_complete(frames))
        return MarketHistory(histories, self._settings, can_short=self._can_short)

    def _provided(self, dp: Any, pair: str, timeframe: str, live: bool) -> DataFrame:
        """The data provider's candles; before a bot's first refresh it has none, which is no reason to warn."""
        if live:
            frame: DataFrame = dp.ohlcv(pair, timeframe, copy=False, candle_type=self._candle_type.value)
            return frame
        whole: DataFrame = dp.get_pair_dataframe(pair, timeframe)
        return whole

    def _stored(self, pair: str, timeframe: str) -> DataFrame:
        return load_pair_history(
            pair,
            timeframe,
            Path(self._config["datadir"]),
            fill_up_missing=True,
            drop_incomplete=False,
            data_format=self._config.get("dataformat_ohlcv", "feather"),
            candle_type=self._candle_type,
        )


def _complete(frames: Mapping[str, Candles]) -> dict[str, Candles]:
    """A bot's candles of all timeframes up to the last close of the shortest."""
    return {name: complete_higher(candles, frames[BASE]) for name, candles in frames.items()}


def _join(frames: list[DataFrame | None], timeframe: str, now: int | None = None) -> Candles:
    """One history without gaps: where frames overlap the first one counts; candles before the last gap are dropped.

    Parameters
    ----------
    now : seconds; candles that close later are dropped
    """
    known = [known_candles(frame[COLUMNS]) for frame in frames if frame is not None and len(frame)]
    parts = [frame for frame in known if len(frame)]
    if not parts:
        empty = DataFrame({name: np.zeros(0) for name in COLUMNS[1:]})
        return Candles.from_frame(empty.assign(date=np.zeros(0, dtype="datetime64[s]")), timeframe)
    frame = parts[0]
    for other in parts[1:]:
        newer = other[other["date"] > frame["date"].iloc[-1]]
        older = other[other["date"] < frame["date"].iloc[0]]
        if len(newer) or len(older):
            frame = pd.concat((older, frame, newer), ignore_index=True)
    if now is not None:
        frame = frame[open_seconds(frame) + timeframe_seconds(timeframe) <= now]
    candles = Candles.from_frame(frame, timeframe)
    gaps = np.flatnonzero(np.diff(candles.time) != timeframe_seconds(timeframe))
    if not len(gaps):
        return candles
    return Candles.from_frame(frame.iloc[int(gaps[-1]) + 1 :], timeframe)
