"""A pair listed within the timerange and one that ends in it, through `coordinator backtest` with FreqAI on."""

import json
import subprocess

import pandas as pd
import pytest

from coordinator.candles.files import candle_path, read_candles, write_candles
from coordinator.ledger.store import Ledger
from coordinator.reports.results import read_result

LISTED, ENDED = pd.Timestamp("2023-04-20", tz="UTC"), pd.Timestamp("2023-05-10", tz="UTC")
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


@pytest.fixture(scope="module")
def done(warm_python, quick_config, datadir, tmp_path_factory):
    """The command's output, its two results by strategy, and the ledger of MLCoordinator."""
    market, user_data = tmp_path_factory.mktemp("market"), tmp_path_factory.mktemp("user_data")
    for pair in PAIRS:
        for timeframe in ("1h", "4h", "1d"):
            frame = read_candles(datadir, pair, timeframe, "spot")
            if pair == "SOL/USDT":
                frame = frame[frame["date"] >= LISTED]
            if pair == "ETH/USDT":
                frame = frame[frame["date"] < ENDED]
            write_candles(frame, candle_path(market, pair, timeframe, "spot"))
    own = user_data / "own.json"
    own.write_text(json.dumps({"coordinator": {"learning": {"components": ["lstm"]}}}))
    command = [warm_python, "-m", "coordinator", "backtest", "--config", quick_config, "--config", own]
    command += ["--datadir", market, "--timerange", "20230401-20230620", "--user-data", user_data]
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = {r.strategy: r for r in map(read_result, (user_data / "backtest_results").glob("*.zip"))}
    ledger = Ledger(results["MLCoordinator"].path.with_suffix(".ledger.sqlite"))
    return ended.stdout, results, ledger


def test_each_is_traded_while_it_has_candles_and_the_run_says_so(done):
    output, results, _ = done
    assert "SOL/USDT is traded from 2023-04-20 00:00 on" in output
    assert "ETH/USDT is traded until 2023-05-10 00:00" in output
    for result in results.values():
        trades = result.trades
        late = trades[trades["pair"] == "SOL/USDT"]["open_date"]
        # Freqtrade alone cuts off 40 days of startup and 60 of training, to the end of July.
        assert LISTED < late.min() < LISTED + pd.Timedelta(days=30)
        early = trades[trades["pair"] == "ETH/USDT"]
        assert len(early)
        assert early["close_date"].max() < ENDED
        assert trades[trades["pair"] == "BTC/USDT"]["open_date"].max() > ENDED


def test_a_model_of_all_pairs_judges_the_late_one_as_it_judges_the_others(done):
    _, _, ledger = done
    decisions = ledger.read_decisions()
    assert decisions[decisions["pair"] == "SOL/USDT"]["time"].min() >= LISTED
    # The network reads features of a week, over two days.
    judged = decisions[decisions["time"] >= LISTED + pd.Timedelta(days=12)]
    for pair in ("BTC/USDT", "SOL/USDT"):
        own = judged[judged["pair"] == pair]
        assert len(own) > 50
        assert own["lstm_confidence"].notna().all(), pair
