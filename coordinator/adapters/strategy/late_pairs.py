"""Pairs whose candles begin late in a backtest: they trade as soon as their indicators have their history."""

from __future__ import annotations

from typing import Any

import pandas as pd
from freqtrade.configuration import TimeRange

from coordinator.candles.known import with_empty_rows
from coordinator.signals.candles import timeframe_seconds

__all__ = ["with_startup_rows"]


def with_startup_rows(
    frames: dict[str, pd.DataFrame], config: dict[str, Any], startup: int
) -> dict[str, pd.DataFrame]:
    """The analysed frames with empty rows in front where a pair has no candles yet.

    Freqtrade cuts the same number of rows off every pair: the startup, with FreqAI its training days too. Of a pair
    that was listed within the timerange those would be its first 220 days, though a model of all pairs may judge it and
    its indicators say themselves when they have their history. With as many empty rows as it lacks of the startup,
    only those are cut off.

    Parameters
    ----------
    frames : mapping of pair to its analysed candles, ascending, without gaps
    config : Freqtrade's, with timeframe and, where one was given, timerange
    startup : rows that Freqtrade will cut off
    """
    known = {pair: frame["date"].iloc[0] for pair, frame in frames.items() if len(frame)}
    if not known:
        return frames
    step = pd.Timedelta(seconds=timeframe_seconds(config["timeframe"]))
    wanted = TimeRange.parse_timerange(config.get("timerange"))
    begin = min(known.values())
    if wanted.starttype == "date":
        begin = pd.Timestamp(wanted.startts, unit="s", tz="UTC") - startup * step
    lacking = {pair: -(-(first - begin) // step) for pair, first in known.items()}
    return {
        pair: with_empty_rows(frame, min(max(lacking.get(pair, 0), 0), startup), step)
        for pair, frame in frames.items()
    }
