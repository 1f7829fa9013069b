"""What is said when a training fails: the candles that lack are the oldest pair's, not a young pair's."""

import pandas as pd
import pytest
from freqtrade.configuration import TimeRange

from coordinator.adapters.freqai.failures import training_failed
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles


@pytest.mark.parametrize(
    ("asked_from", "words"),
    [
        (
            "20230101",
            "the candles of OLD/USDT begin on 2023-02-01: begin the timerange on 2023-04-03 or later",
        ),
        ("20230301", "More candles before the timerange"),
    ],
)
def test_the_oldest_pair_says_which_timerange_can_be_trained(make_walk, asked_from, words):
    starts = {"OLD/USDT": "2023-02-01", "NEW/USDT": "2023-05-01"}
    pairs = {
        pair: PairHistory({"1h": Candles.from_frame(make_walk(3, 200, start=start), "1h")})
        for pair, start in starts.items()
    }
    market = MarketHistory(pairs, load_settings(None))
    begin = int(pd.Timestamp(asked_from, tz="UTC").timestamp())
    window = TimeRange("date", "date", begin, begin + 60 * 86400)
    said = training_failed("NEW/USDT", "too few rows", market, 60, window)
    assert said.startswith("Training of NEW/USDT failed: too few rows")
    assert words in said
    assert "no 1h candles of it" in training_failed("GONE/USDT", "", market, 60, window)
