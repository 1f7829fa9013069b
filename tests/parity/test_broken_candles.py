"""A bot whose candles come broken or late decides what it decides on sound ones."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType

from coordinator.ledger.store import Ledger
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

PAIR = "BTC/USDT"
BEGIN = pd.Timestamp("2023-03-10 16:00", tz="UTC")
HOURS = 30
EVERY = {"decision": {"weighting": "fixed", "threshold": 0.0, "require_positive_expectancy": False}}
CLOCKS = {"1h": EVERY, "1d": {**EVERY, "baseline": {"clock": "1d"}, "targets": {"horizon": 10}}}


@pytest.fixture(scope="module")
def candles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("candles")
    span = {"start": datetime(2022, 10, 1, tzinfo=UTC), "end": datetime(2023, 4, 1, tzinfo=UTC)}
    write_market(MarketSpec(pairs=(PAIR,), seed=5, **span), folder, "spot")
    names = ("1h", "4h", "1d")
    return folder, {
        (PAIR, name): load_pair_history(PAIR, name, folder, candle_type=CandleType.SPOT) for name in names
    }


def decided(make_bot, candles, clock, folder, spoil):
    """What a bot decides along the same hours; ``spoil`` changes its memory before it looks."""
    folder.mkdir()
    bot = make_bot(candles[0], [PAIR], candles[1], CLOCKS[clock], folder)
    analyze = bot.strategy.analyze
    bot.strategy.analyze = lambda pairs: (spoil(bot.exchange._klines), analyze(pairs))
    for hour in range(HOURS):
        bot.step(BEGIN + pd.Timedelta(hours=hour), [PAIR])
    shown = bot.strategy.dp.get_analyzed_dataframe(PAIR, "1h")[0]
    return Ledger(folder / "coordinator.ledger.sqlite").read_decisions(), shown


def empty_rows_in_front(memory):
    for key, frame in memory.items():
        rows = 400 if key[1] == "1h" else 150
        dates = pd.date_range(end=frame["date"].iloc[0], periods=rows + 1, freq=key[1].replace("d", "D"))
        memory[key] = pd.concat([pd.DataFrame({"date": dates[:-1]}), frame], ignore_index=True)


def newest_higher_candle_late(memory):
    for key, frame in memory.items():
        if key[1] != "1h":
            memory[key] = frame.iloc[:-1]


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("spoil", [empty_rows_in_front, newest_higher_candle_late])
def test_decisions_are_those_on_sound_candles(make_bot, candles, tmp_path, clock, spoil):
    sides = [
        decided(make_bot, candles, clock, tmp_path / name, change)
        for name, change in (("sound", lambda memory: None), ("broken", spoil))
    ]
    (wanted, wanted_frame), (found, found_frame) = sides
    assert len(wanted) > 0 or clock == "1d"
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-9)
    tails = [frame.iloc[-500:].reset_index(drop=True) for frame in (found_frame, wanted_frame)]
    pd.testing.assert_frame_equal(*tails, rtol=1e-9, check_dtype=False)
    assert tails[0]["close"].notna().all()
