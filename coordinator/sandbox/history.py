"""A bot's own candles at a moment: what of a market had closed by then."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd

from coordinator.candles.files import (
    FUNDING_TIMEFRAME,
    Kind,
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
        The files written; a pair without a candle by then has none, and one with a broken file.

    Raises
    ------
    CoordinatorError
        If no pair has any candle by then, or none has sound files.
    """
    written: list[Path] = []
    unsound: CoordinatorError | None = None
    for pair in list_pairs(market, trading_mode):
        try:
            tables = _tables(market, datadir, pair, trading_mode)
        except CoordinatorError as error:  # the exchange leaves the pair out, too, and says why
            unsound = error
            continue
        for path, frame, length in tables:
            closed = frame[frame["date"] + pd.Timedelta(milliseconds=length) <= until]
            if len(closed):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_candles(closed.reset_index(drop=True), path)
                written.append(path)
    if not written and unsound is not None:
        raise unsound
    if not written:
        raise CoordinatorError("start", "a run in another time", "be after the market's first candles", until)
    return written


def _tables(
    market: Path, datadir: Path, pair: str, trading_mode: TradingMode
) -> list[tuple[Path, pd.DataFrame, int]]:
    """A pair's new files, what the market has for each, and how many milliseconds after its date a row is known."""

    def new(timeframe: str, kind: Kind = "futures") -> Path:
        return candle_path(datadir, pair, timeframe, trading_mode, kind)

    tables = [
        (
            new(timeframe),
            read_candles(market, pair, timeframe, trading_mode),
            timeframe_milliseconds(timeframe),
        )
        for timeframe in list_timeframes(market, pair, trading_mode)
    ]
    if trading_mode == "spot":
        return tables
    hour = FUNDING_TIMEFRAME
    if candle_path(market, pair, hour, "futures", "mark").is_file():
        mark = read_candles(market, pair, hour, "futures", "mark")
        tables.append((new(hour, "mark"), mark, timeframe_milliseconds(hour)))
    if candle_path(market, pair, hour, "futures", "funding_rate").is_file():
        rates = read_funding(market, pair).rename(columns={"funding_rate": "open"})
        rates = rates.assign(high=0.0, low=0.0, close=0.0, volume=0.0)
        columns = ["date", "open", "high", "low", "close", "volume"]
        tables.append((new(hour, "funding_rate"), rates[columns], 0))
    return tables
