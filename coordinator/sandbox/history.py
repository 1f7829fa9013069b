"""A bot's own candles at a moment: what of a market had closed by then."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd

from coordinator.candles.files import (
    FUNDING_TIMEFRAME,
    TradingMode,
    candle_path,
    list_pairs,
    list_timeframes,
    read_candles,
    read_funding,
    write_candles,
)
from coordinator.candles.timeframes import timeframe_milliseconds
from coordinator.errors import CoordinatorError

__all__ = ["copy_history"]


def copy_history(market: Path, datadir: Path, until: datetime, trading_mode: TradingMode) -> list[Path]:
    """Write the candles of a data directory that had closed by a moment into another one.

    A bot that reads the directory its exchange is made of would read, and train on, candles of the future.

    Parameters
    ----------
    market : pathlib.Path
        All candles.
    datadir : pathlib.Path
        The bot's; files of the same name are replaced.
    until : datetime.datetime
        The moment, timezone-aware.
    trading_mode : str
        ``"spot"`` or ``"futures"``.

    Returns
    -------
    list of pathlib.Path
        The files written; a pair without a candle by then has none.

    Raises
    ------
    CoordinatorError
        If no pair has any candle by then.
    """
    written: list[Path] = []

    def write(frame: pd.DataFrame, length: int, path: Path) -> None:
        closed = frame[frame["date"] + pd.Timedelta(milliseconds=length) <= until]
        if len(closed):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_candles(closed.reset_index(drop=True), path)
            written.append(path)

    for pair in list_pairs(market, trading_mode):
        for timeframe in list_timeframes(market, pair, trading_mode):
            frame = read_candles(market, pair, timeframe, trading_mode)
            path = candle_path(datadir, pair, timeframe, trading_mode)
            write(frame, timeframe_milliseconds(timeframe), path)
        if trading_mode == "futures":
            mark = read_candles(market, pair, FUNDING_TIMEFRAME, "futures", "mark")
            step = timeframe_milliseconds(FUNDING_TIMEFRAME)
            write(mark, step, candle_path(datadir, pair, FUNDING_TIMEFRAME, "futures", "mark"))
            funding = read_funding(market, pair).rename(columns={"funding_rate": "open"})
            funding = funding.assign(high=0.0, low=0.0, close=0.0, volume=0.0)
            columns = ["date", "open", "high", "low", "close", "volume"]
            path = candle_path(datadir, pair, FUNDING_TIMEFRAME, "futures", "funding_rate")
            write(funding[columns], 0, path)
    if not written:
        raise CoordinatorError("start", "a run in another time", "be after the market's first candles", until)
    return written
