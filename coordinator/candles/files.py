"""Freqtrade's feather layout: names, paths, reading and writing. Monthly candles are not supported and ignored.

Spot candles lie in the data directory (``BTC_USDT-1h.feather``), futures under its ``futures`` folder
(``BTC_USDT_USDT-1h-futures.feather``, ``-1h-mark``, ``-1h-funding_rate``), as Freqtrade 2026.9 writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from coordinator.candles.check import COLUMNS, check_candles, check_funding
from coordinator.errors import CoordinatorError

__all__ = [
    "FUNDING_TIMEFRAME",
    "Kind",
    "TradingMode",
    "candle_path",
    "check_datadir",
    "list_pairs",
    "list_timeframes",
    "pair_from_filename",
    "read_candles",
    "read_funding",
    "told_repair",
    "unsound_pairs",
    "write_candles",
]

TradingMode = Literal["spot", "futures"]
Kind = Literal["futures", "mark", "funding_rate"]

# Freqtrade keeps mark prices and funding rates under this timeframe whatever the strategy's is.
FUNDING_TIMEFRAME: Final = "1h"
_NAME: Final = re.compile(r"(?P<pair>\w+)-(?P<timeframe>\d+[smhdw])(?:-(?P<kind>[a-zA-Z_]+))?\.feather")


def pair_from_filename(filename: str) -> str | None:
    """The pair a candle file belongs to, or None if the name is not a candle file's.

    Examples
    --------
    >>> pair_from_filename("BTC_USDT-1h.feather")
    'BTC/USDT'
    >>> pair_from_filename("BTC_USDT_USDT-1h-mark.feather")
    'BTC/USDT:USDT'
    """
    match = _NAME.fullmatch(filename)
    return match["pair"].replace("_", "/", 1).replace("_", ":", 1) if match else None


def candle_path(
    datadir: Path, pair: str, timeframe: str, trading_mode: TradingMode, kind: Kind = "futures"
) -> Path:
    """Where the candles of a pair lie. ``kind`` matters for futures only.

    Examples
    --------
    >>> candle_path(Path("data"), "BTC/USDT:USDT", "1h", "futures", "mark").as_posix()
    'data/futures/BTC_USDT_USDT-1h-mark.feather'
    """
    stem = re.sub(r"[/ .@$+:]", "_", pair)
    if trading_mode == "spot":
        return datadir / f"{stem}-{timeframe}.feather"
    return datadir / "futures" / f"{stem}-{timeframe}-{kind}.feather"


def list_pairs(datadir: Path, trading_mode: TradingMode) -> list[str]:
    """Pairs that have tradable candles of any timeframe in the directory, sorted.

    Raises
    ------
    CoordinatorError
        If the directory is absent. An existing directory without candles gives an empty list.
    """
    return sorted({pair for pair, _ in _inventory(datadir, trading_mode)})


def list_timeframes(datadir: Path, pair: str, trading_mode: TradingMode) -> list[str]:
    """Timeframes for which the pair has a file, sorted by name; raises as :func:`list_pairs`."""
    return [timeframe for name, timeframe in _inventory(datadir, trading_mode) if name == pair]


def read_candles(
    datadir: Path, pair: str, timeframe: str, trading_mode: TradingMode, kind: Kind = "futures"
) -> pd.DataFrame:
    """Read and check one pair's candles.

    Returns
    -------
    pandas.DataFrame
        Shape (candles, 6): date (UTC, the open time), open, high, low, close (quote currency), volume (base
        currency; 0 in mark files).

    Raises
    ------
    CoordinatorError
        If the directory, pair or timeframe is absent (it lists what there is), the file cannot be read, or
        the candles break a rule of :func:`~coordinator.candles.check.check_candles`.
    """
    if kind == "funding_rate":
        raise CoordinatorError("kind", "read_candles", "be futures or mark, read_funding reads rates", kind)
    path = _existing(datadir, pair, timeframe, trading_mode, kind)
    frame = _read(path)
    check_candles(frame, path.name, timeframe)
    return frame.loc[:, list(COLUMNS)]


def read_funding(datadir: Path, pair: str) -> pd.DataFrame:
    """Read and check one futures pair's funding rates.

    Freqtrade used to store the rate in the column open of a candle table, and now in funding_rate; both are
    read.

    Returns
    -------
    pandas.DataFrame
        Shape (settlements, 2): date (UTC, the settlement), funding_rate (fraction of the position each time).
    """
    path = _existing(datadir, pair, FUNDING_TIMEFRAME, "futures", "funding_rate")
    frame = _read(path)
    if "funding_rate" not in frame.columns:
        frame = frame.rename(columns={"open": "funding_rate"})
    check_funding(frame, path.name)
    return frame.loc[:, ["date", "funding_rate"]]


def write_candles(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Freqtrade does: feather, lz4, level 9. Folders are made, an existing file is replaced.

    Raises
    ------
    CoordinatorError
        If the folder or file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.reset_index(drop=True).to_feather(path, compression="lz4", compression_level=9)
    except OSError as error:
        raise CoordinatorError("file", str(path), "be writable", str(error)) from error


def check_datadir(
    datadir: Path, pairs: Iterable[str], timeframes: Iterable[str], trading_mode: TradingMode
) -> None:
    """Check every file a run needs: all pairs and timeframes, and for futures mark prices and funding rates.

    Raises
    ------
    CoordinatorError
        On the first missing, unreadable or unsound file.
    """
    wanted = list(timeframes)
    for pair in pairs:
        for timeframe in wanted:
            read_candles(datadir, pair, timeframe, trading_mode)
        if trading_mode == "futures":
            read_candles(datadir, pair, FUNDING_TIMEFRAME, "futures", "mark")
            read_funding(datadir, pair)


def unsound_pairs(
    datadir: Path, pairs: Iterable[str], timeframes: Iterable[str], trading_mode: TradingMode
) -> dict[str, CoordinatorError]:
    """Pairs that :func:`check_datadir` refuses, each with the first thing that is wrong with it."""
    found, wanted = {}, list(timeframes)
    for pair in pairs:
        try:
            check_datadir(datadir, [pair], wanted, trading_mode)
        except CoordinatorError as error:
            found[pair] = error
    return found


def told_repair(pairs: Sequence[str], trading_mode: TradingMode) -> str:
    """What to type to have unsound files anew.

    Examples
    --------
    >>> told_repair(["BTC/USDT"], "spot")
    'Have it anew: `freqtrade download-data --erase --pairs BTC/USDT --timeframes 1h 4h 1d --days 900`.'
    """
    mode = " --trading-mode futures" if trading_mode == "futures" else ""
    what = "it" if len(pairs) == 1 else "them"
    command = (
        f"freqtrade download-data --erase --pairs {' '.join(pairs)} --timeframes 1h 4h 1d --days 900{mode}"
    )
    return f"Have {what} anew: `{command}`."


def _folder(datadir: Path, trading_mode: TradingMode) -> Path:
    folder = datadir if trading_mode == "spot" else datadir / "futures"
    if not folder.is_dir():
        owner = f"the {trading_mode} candles"
        rule = "be an existing directory: `coordinator data simulate` or `freqtrade download-data` makes one"
        raise CoordinatorError("datadir", owner, rule, str(folder))
    return folder


def _inventory(datadir: Path, trading_mode: TradingMode) -> list[tuple[str, str]]:
    """(pair, timeframe) of every tradable candle file."""
    files = []
    for path in sorted(_folder(datadir, trading_mode).glob("*.feather")):
        match = _NAME.fullmatch(path.name)
        pair = pair_from_filename(path.name)
        if match and pair and match["kind"] == (None if trading_mode == "spot" else "futures"):
            files.append((pair, match["timeframe"]))
    return files


def _existing(datadir: Path, pair: str, timeframe: str, trading_mode: TradingMode, kind: Kind) -> Path:
    """The path of a file that exists; otherwise an error that lists what there is instead."""
    path = candle_path(datadir, pair, timeframe, trading_mode, kind)
    if path.is_file():
        return path
    pairs = list_pairs(datadir, trading_mode)
    if pair not in pairs:
        known = ", ".join(pairs) or "no pair at all"
        raise CoordinatorError("pair", f"{trading_mode} data in {path.parent}", f"be one of: {known}", pair)
    timeframes = list_timeframes(datadir, pair, trading_mode)
    if timeframe not in timeframes:
        rule = f"be there: download them with --timeframes 1h 4h 1d (there are {', '.join(timeframes)})"
        owner = f"{pair} {trading_mode} data in {path.parent}"
        raise CoordinatorError(f"{timeframe} candles", owner, rule, f"no {path.name}")
    raise CoordinatorError(kind, f"{pair} in {path.parent}", "exist as a file", f"no {path.name}")


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_feather(path)
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:  # Arrow's errors
        reason = str(error).splitlines()[0]
        raise CoordinatorError("file", str(path), "be a readable feather file", reason) from error
