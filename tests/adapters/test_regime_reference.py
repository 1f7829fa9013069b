"""The regime gate's reference pair: asked for, found beside the whitelist, and named where it is missing."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from coordinator.adapters.strategy import CoordinatorStrategy

EMPTY = pd.DataFrame()


@pytest.fixture(scope="module")
def frames(make_walk, make_higher):
    out = {}
    for seed, pair in enumerate(("BTC/USDT", "ETH/USDT", "SOL/USDT")):
        hourly = make_walk(60 + seed, 24 * 200)
        out |= {(pair, "1h"): hourly} | {(pair, name): make_higher(hourly, name) for name in ("4h", "1d")}
    return out


def strategy_with(frames, mode=RunMode.BACKTEST, trading_mode="spot", **regime):
    coordinator = {
        "baseline": {"clock": "1d"},
        "targets": {"horizon": 10},
        "regime": {"gate": "on", "gate_average": 50, **regime},
    }
    strategy = CoordinatorStrategy(
        {
            "trading_mode": trading_mode,
            "stake_currency": "USDT",
            "coordinator": coordinator,
            "runmode": mode,
            "dry_run": True,
        }
    )
    strategy.dp = SimpleNamespace(
        get_pair_dataframe=lambda pair, timeframe: frames.get((pair, timeframe), EMPTY),
        runmode=mode,
        current_whitelist=lambda: ["ETH/USDT"],
    )
    return strategy


def analysed(strategy, frames):
    strategy.populate_indicators(frames["ETH/USDT", "1h"].copy(), {"pair": "ETH/USDT"})
    return strategy.run.market.analysis("ETH/USDT")


def test_it_is_an_informative_pair_where_it_is_not_in_the_whitelist(frames):
    wanted = strategy_with(frames).informative_pairs()
    assert [pair for pair in wanted if pair[0] == "BTC/USDT"] == [
        ("BTC/USDT", name) for name in ("1h", "4h", "1d")
    ]
    assert ("SOL/USDT", "1d") in strategy_with(frames, reference="SOL/USDT").informative_pairs()
    assert not [p for p in strategy_with(frames, gate="off").informative_pairs() if p[0] == "BTC/USDT"]
    futures = strategy_with(frames, trading_mode="futures").informative_pairs()
    assert ("BTC/USDT:USDT", "1d") in futures


def test_its_candles_decide_what_is_barred(frames):
    by_btc, by_sol = (
        analysed(strategy_with(frames, **x), frames).barred for x in ({}, {"reference": "SOL/USDT"})
    )
    assert by_btc.any()
    assert not np.array_equal(by_btc, by_sol)
    assert not analysed(strategy_with(frames, gate="off"), frames).barred.any()


def test_without_its_candles_a_backtest_says_what_to_do(frames):
    without = {key: frame for key, frame in frames.items() if key != ("BTC/USDT", "1d")}
    with pytest.raises(OperationalException, match="have 1d candles: download them, or set"):
        analysed(strategy_with(without), frames)


def test_without_its_candles_a_bot_enters_nothing(frames):
    without = {key: frame for key, frame in frames.items() if key[0] != "BTC/USDT"}
    analysis = analysed(strategy_with(without, mode=RunMode.DRY_RUN), frames)
    assert len(analysis.index)
    assert analysis.barred.all()
