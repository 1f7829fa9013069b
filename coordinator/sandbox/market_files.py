"""Writing a simulated market to a data directory in Freqtrade's layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

from coordinator.candles.files import FUNDING_TIMEFRAME, TradingMode, candle_path, write_candles
from coordinator.sandbox.futures import simulate_futures
from coordinator.sandbox.market import resample_candles, simulate
from coordinator.sandbox.spec import MarketSpec

__all__ = ["TIMEFRAMES", "existing_files", "write_market"]

TIMEFRAMES: Final = ("1h", "4h", "1d")


def existing_files(spec: MarketSpec, datadir: Path, trading_mode: TradingMode) -> list[Path]:
    """Files that :func:`write_market` would replace."""
    futures = [f"{pair}:{pair.split('/')[1]}" for pair in spec.pairs]
    pairs = spec.pairs if trading_mode == "spot" else futures
    paths = [
        candle_path(datadir, pair, timeframe, trading_mode) for pair in pairs for timeframe in TIMEFRAMES
    ]
    if trading_mode == "futures":
        paths += [candle_path(datadir, pair, FUNDING_TIMEFRAME, "futures", "mark") for pair in pairs]
        paths += [candle_path(datadir, pair, FUNDING_TIMEFRAME, "futures", "funding_rate") for pair in pairs]
    return [path for path in paths if path.exists()]


def write_market(
    spec: MarketSpec,
    datadir: Path,
    trading_mode: TradingMode,
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Simulate and write 1h, 4h and 1d candles, and for futures mark prices and funding rates.

    Parameters
    ----------
    spec : MarketSpec
        What to simulate.
    datadir : pathlib.Path
        E.g. ``user_data/data/binance``; made if absent, files of the same name are replaced.
    trading_mode : str
        ``"spot"`` or ``"futures"``.
    progress : callable, optional
        Called with each pair once its files are written.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    CoordinatorError
        If a file cannot be written.
    """
    written: list[Path] = []

    def write(frame: pd.DataFrame, path: Path) -> None:
        write_candles(frame, path)
        written.append(path)

    def write_timeframes(pair: str, hourly: pd.DataFrame) -> None:
        for timeframe in TIMEFRAMES:
            frame = hourly if timeframe == "1h" else resample_candles(hourly, timeframe)
            write(frame, candle_path(datadir, pair, timeframe, trading_mode))

    if trading_mode == "spot":
        for pair, hourly in simulate(spec).items():
            write_timeframes(pair, hourly)
            if progress:
                progress(pair)
        return written
    for pair, tables in simulate_futures(spec).items():
        write_timeframes(pair, tables.futures)
        write(tables.mark, candle_path(datadir, pair, FUNDING_TIMEFRAME, "futures", "mark"))
        write(tables.funding, candle_path(datadir, pair, FUNDING_TIMEFRAME, "futures", "funding_rate"))
        if progress:
            progress(pair)
    return written
