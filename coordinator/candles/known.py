"""Candles with and without empty rows in front: a broken answer of an exchange leaves some, a late pair gets some."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

__all__ = ["known_candles", "on_known_candles", "with_empty_rows"]


def known_candles(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows from the first price on; the frame itself where it begins with one.

    ccxt reads half an answer as candles of 1970 without prices, and Freqtrade fills the years between with empty
    rows, which stay in a bot's memory in front of the true ones.

    Parameters
    ----------
    frame : pandas.DataFrame
        Freqtrade's candles, with a column open.

    Examples
    --------
    >>> known_candles(pd.DataFrame({"open": [None, None, 2.0, None]}, dtype=float))["open"].tolist()
    [2.0, nan]
    """
    if not len(frame) or not np.isnan(frame["open"].to_numpy(dtype=np.float64)[0]):
        return frame
    begun = np.flatnonzero(frame["open"].notna().to_numpy())
    first = int(begun[0]) if len(begun) else len(frame)
    return frame.iloc[first:].reset_index(drop=True)


def on_known_candles(frame: pd.DataFrame, work: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """What ``work`` makes of the known candles, the empty rows in front of it again: as many rows as before.

    Where no candle is known there is no work, and the frame comes back as it was.

    Examples
    --------
    >>> candles = pd.DataFrame({"open": [None, 2.0, 3.0]}, dtype=float)
    >>> on_known_candles(candles, lambda known: known.assign(double=2 * known["open"]))["double"].tolist()
    [nan, 4.0, 6.0]
    """
    known = known_candles(frame)
    if known is frame:
        return work(frame)
    if not len(known):
        return frame
    return pd.concat([frame.iloc[: len(frame) - len(known)], work(known)], ignore_index=True)


def with_empty_rows(frame: pd.DataFrame, count: int, step: pd.Timedelta) -> pd.DataFrame:
    """So many rows in front that hold a date and nothing else, up to the first candle.

    Parameters
    ----------
    frame : pandas.DataFrame
        With a column date (open times), at least one row where ``count`` is not 0.
    step : pandas.Timedelta
        Length of a candle.

    Examples
    --------
    >>> candles = pd.DataFrame({"date": [pd.Timestamp("2023-01-02")], "open": [2.0]})
    >>> with_empty_rows(candles, 1, pd.Timedelta(days=1))["open"].tolist()
    [nan, 2.0]
    """
    if not count:
        return frame
    first = frame["date"].iloc[0]
    dates = pd.date_range(first - count * step, periods=count, freq=step).astype(frame["date"].dtype)
    return pd.concat([pd.DataFrame({"date": dates}), frame], ignore_index=True)[list(frame.columns)]
