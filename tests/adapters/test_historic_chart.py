"""FreqUI's historic chart reads what a backtest of its timerange reads, and shows what was asked for."""

from types import SimpleNamespace

import numpy as np
import pytest
from freqtrade.enums import RunMode
from pandas.testing import assert_frame_equal

from coordinator.adapters.strategy.historic_chart import HistoricChart

PAIR = "BTC/USDT"


@pytest.fixture
def stored(make_walk):
    """The data directory's candles of a pair."""
    frame = make_walk(3, 300)
    return SimpleNamespace(get_pair_dataframe=lambda pair, timeframe: frame.copy()), frame


def chart(mode=RunMode.WEBSERVER):
    return HistoricChart({"runmode": mode, "timeframe": "1h"})


def test_a_chart_reads_the_candles_before_it_and_shows_its_own(stored):
    dp, frame = stored
    asked = frame.iloc[100:].reset_index(drop=True)
    one = chart()
    read = one.candles(asked, PAIR, dp)
    assert_frame_equal(read, frame)
    shown = one.shown(read.assign(row=np.arange(len(read))), PAIR)
    assert shown["row"].tolist() == list(range(100, 300))


def test_other_modes_and_charts_that_do_not_join_what_is_stored_read_their_own_alone(stored):
    dp, frame = stored
    asked = frame.iloc[100:].reset_index(drop=True)
    assert chart(RunMode.BACKTEST).candles(asked, PAIR, dp) is asked
    later = frame.iloc[100:].assign(date=frame["date"].iloc[100:] + np.timedelta64(30, "m"))
    one = chart()
    assert one.candles(later, PAIR, dp) is later
    assert one.shown(later, PAIR) is later
