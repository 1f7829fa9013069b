"""What a sound candle table looks like; the first violation is reported in one line."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.candles.timeframes import grid_offset_milliseconds, timeframe_milliseconds
from coordinator.errors import CoordinatorError

__all__ = ["COLUMNS", "PRICES", "check_candles", "check_funding", "open_times"]

PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = ("date", *PRICES, "volume")


def open_times(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Open times in milliseconds since the epoch, whatever resolution the date column has; shape (rows,)."""
    return np.asarray(pd.DatetimeIndex(frame["date"]).as_unit("ms").asi8, dtype=np.int64)


def check_candles(frame: pd.DataFrame, source: str, timeframe: str | None = None) -> None:
    """Check a candle table and raise on the first thing that is wrong.

    Checked in this order: the columns date, open, high, low, close, volume are there; at least one row; date
    is timezone-aware UTC, set in every row, without duplicates, ascending, and with a timeframe on its UTC
    grid; numbers are finite; prices are above 0 and volume is at least 0; low <= open, close <= high.
    Missing candles are allowed: exchanges have outages.

    Parameters
    ----------
    frame : pandas.DataFrame
        Shape (rows, at least 6). It is not changed.
    source : str
        The file or pair to name in the error.
    timeframe : str, optional
        E.g. ``"1h"``; the grid is checked only if given.

    Raises
    ------
    CoordinatorError
        Naming source, column, rule, and the first offending candle and value. NaN is a violation.
    """
    _check_columns(frame, source, COLUMNS)
    times = _check_dates(frame, source, timeframe)
    values = {column: _numbers(frame, column, source) for column in COLUMNS[1:]}
    for column, series in values.items():
        _refuse(~np.isfinite(series), times, series, column, source, "be a finite number")
    for column in PRICES:
        _refuse(values[column] <= 0, times, values[column], column, source, "be above 0")
    _refuse(values["volume"] < 0, times, values["volume"], "volume", source, "be at least 0")
    high, low = values["high"], values["low"]
    _refuse(low > high, times, low, "low", source, "be at most the high")
    for column in ("open", "close"):
        series = values[column]
        _refuse(series < low, times, series, column, source, "be at least the low")
        _refuse(series > high, times, series, column, source, "be at most the high")


def check_funding(frame: pd.DataFrame, source: str) -> None:
    """Check a funding-rate table: date as for candles, funding_rate a finite fraction within +-1.

    Raises
    ------
    CoordinatorError
        Naming source, column, rule, and the first offending row and value.
    """
    _check_columns(frame, source, ("date", "funding_rate"))
    times = _check_dates(frame, source, None)
    rate = _numbers(frame, "funding_rate", source)
    rule = "be a finite fraction between -1 and 1"
    _refuse(~(np.abs(rate) <= 1.0), times, rate, "funding_rate", source, rule)


def _check_columns(frame: pd.DataFrame, source: str, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise CoordinatorError(column, source, "be a column of it", [str(name) for name in frame.columns])
    if frame.empty:
        raise CoordinatorError("date", source, "hold at least one candle", "an empty table")


def _check_dates(frame: pd.DataFrame, source: str, timeframe: str | None) -> npt.NDArray[np.int64]:
    dtype = frame["date"].dtype
    if not isinstance(dtype, pd.DatetimeTZDtype) or str(dtype.tz) != "UTC":
        raise CoordinatorError("date", source, "be a timezone-aware UTC datetime column", str(dtype))
    missing = frame["date"].isna().to_numpy()
    if missing.any():
        row = int(np.argmax(missing))
        raise CoordinatorError("date", source, f"be set in every row (first offence: row {row})", "NaT")
    times = open_times(frame)
    steps = np.diff(times)
    for broken, rule in ((steps == 0, "not hold a candle twice"), (steps < 0, "ascend from row to row")):
        _refuse(np.concatenate(([False], broken)), times, times, "date", source, rule)
    if timeframe is not None:
        off_grid = (times - grid_offset_milliseconds(timeframe)) % timeframe_milliseconds(timeframe) != 0
        _refuse(off_grid, times, times, "date", source, f"lie on the UTC grid of {timeframe} candles")
    return times


def _numbers(frame: pd.DataFrame, column: str, source: str) -> npt.NDArray[np.float64]:
    try:
        return frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise CoordinatorError(column, source, "hold numbers", str(frame[column].dtype)) from error


def _refuse(
    bad: npt.NDArray[np.bool_],
    times: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64] | npt.NDArray[np.int64],
    column: str,
    source: str,
    rule: str,
) -> None:
    """Raise for the first True of ``bad``."""
    if not bad.any():
        return
    row = int(np.argmax(bad))
    when = pd.Timestamp(int(times[row]), unit="ms", tz="UTC").strftime("%Y-%m-%d %H:%M UTC")
    value: object = when if column == "date" else float(values[row])
    count = int(bad.sum())
    place = f"first offence: candle {when}, row {row}" + (f"; {count} in all" if count > 1 else "")
    raise CoordinatorError(column, source, f"{rule} ({place})", value)
