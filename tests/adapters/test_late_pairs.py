"""The startup that Freqtrade cuts off every pair, of pairs that begin at different times."""

import numpy as np
import pandas as pd
import pytest
from freqtrade.configuration import TimeRange
from freqtrade.data.converter import trim_dataframes

from coordinator.adapters.strategy.late_pairs import with_startup_rows

START = pd.Timestamp("2023-03-01", tz="UTC")
STARTUP = 100


def frame(first, n=400):
    return pd.DataFrame({"date": pd.date_range(first, periods=n, freq="h"), "open": np.arange(n) + 1.0})


def begins(frames, timerange="20230301-"):
    """The first candle of each pair that Freqtrade trades, and whether it knows its price."""
    config = {"timeframe": "1h", "timerange": timerange}
    padded = with_startup_rows(frames, config, STARTUP)
    for pair, own in frames.items():
        pd.testing.assert_frame_equal(padded[pair].iloc[-len(own) :].reset_index(drop=True), own)
        assert (padded[pair]["date"].diff().dropna() == pd.Timedelta("1h")).all()
        assert list(padded[pair].columns) == list(own.columns)
    cut = trim_dataframes(padded, TimeRange.parse_timerange(timerange), STARTUP)
    assert not any(part["open"].isna().any() for part in cut.values())
    return {pair: part["date"].iloc[0] for pair, part in cut.items()}


@pytest.mark.parametrize("hours", [-STARTUP, -STARTUP + 7, -1, 0, 1, 50, 150])
def test_a_pair_is_cut_to_the_timerange_and_not_further(hours):
    first = START + pd.Timedelta(hours=hours)
    found = begins({"OLD": frame(START - pd.Timedelta(hours=STARTUP)), "NEW": frame(first)})
    assert found == {"OLD": START, "NEW": max(first, START)}


def test_without_a_timerange_the_oldest_pair_gives_the_startup():
    found = begins({"OLD": frame(START), "NEW": frame(START + pd.Timedelta(hours=30))}, timerange=None)
    begin = START + pd.Timedelta(hours=STARTUP)
    assert found == {"OLD": begin, "NEW": begin}


def test_a_pair_without_candles_stays_without():
    empty = frame(START, 0)
    padded = with_startup_rows({"NONE": empty}, {"timeframe": "1h", "timerange": None}, STARTUP)
    assert padded["NONE"].empty
