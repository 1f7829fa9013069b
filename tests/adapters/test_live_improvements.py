"""A bot's improvements: in its ledger candle by candle, the numbers a backtest has, from frames that begin later."""

import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from coordinator.adapters.persistence.recorder import Recorder
from coordinator.ledger.store import Ledger
from coordinator.portfolio.guard import Position
from coordinator.run.analysis import analyse
from coordinator.run.board import SignalBoard
from coordinator.run.entry_guard import EntryGuard, Slots
from coordinator.run.live_ledger import LiveRun, ledger_location
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

PAIRS = ("ADA/USDT", "BTC/USDT")
N, FRAME, FIRST = 1100, 600, 1000
SETTINGS = load_settings(
    {
        "improvements": {
            "trust": {"enabled": False},
            "dynamic_reward_risk": {"mode": "on"},
            "volatility_sizing": {"mode": "shadow"},
            "correlation_filter": {"mode": "on", "max_correlated": 1, "threshold": 0.0},
        }
    }
)


@pytest.fixture(scope="module")
def walks(make_walk):
    """Two pairs of the same market."""
    walk = make_walk(5, N)
    return dict.fromkeys(PAIRS, walk)


@pytest.fixture(scope="module")
def bot(walks, tmp_path_factory):
    """(board, recorder, ledger) of a bot after a hundred candles."""
    config = {"user_data_dir": str(tmp_path_factory.mktemp("bot")), "timeframe": "1h", "runmode": "dry_run"}
    run = LiveRun(config, "TechnicalBaseline", SETTINGS, can_short=True)
    board = SignalBoard(can_short=True)
    recorder = Recorder(config, "TechnicalBaseline", board)
    board.go_live(run)
    recorder.go_live(run)
    for end in range(FIRST, N):
        for pair, walk in walks.items():
            candles = Candles.from_frame(walk.iloc[end + 1 - FRAME : end + 1], "1h")
            board.put(analyse(pair, candles, {}, SETTINGS, ml=False))
            recorder.decided(pair, SETTINGS, print)
    return board, recorder, Ledger(ledger_location(config, SETTINGS))


def stored(ledger):
    (run,) = ledger.runs()["id"]
    return {
        (record.time, row.pair, row.name): row
        for record in ledger.replay(int(run))
        for row in record.improvements
    }


def test_the_numbers_are_a_backtests(bot, walks):
    _, _, ledger = bot
    batch = SignalBoard(can_short=True)
    for pair, walk in walks.items():
        batch.put(analyse(pair, Candles.from_frame(walk, "1h"), {}, SETTINGS, ml=False))
    since = int(walks["BTC/USDT"]["date"].iloc[FIRST].timestamp())
    expected = {
        (record.time, row.pair, row.name): row
        for record in batch.learned(SETTINGS)
        for row in record.improvements
        if record.time >= since
    }
    found = {
        key: row for key, row in stored(ledger).items() if key[0] >= since and key[2] != "correlation_filter"
    }
    assert found.keys() == expected.keys()
    assert len(found) > 20
    for key, row in found.items():
        assert row[:4] == expected[key][:4]
        assert row.adjusted == pytest.approx(expected[key].adjusted, rel=1e-9)


def test_a_bots_entries_are_recorded_and_refusals_said(bot, caplog):
    board, recorder, ledger = bot
    guard, time = EntryGuard(board), board.last_candle()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            verdict = guard.ask("BTC/USDT", 1, time, Slots(lambda: [Position("ADA/USDT", 1)]), SETTINGS)
            recorder.asked(time, verdict)
            assert not verdict.allowed
    assert (
        caplog.text.count(
            "BTC/USDT: the entry is refused by correlation_filter: correlated with ADA/USDT +1.00"
        )
        == 1
    )
    row = stored(ledger)[time, "BTC/USDT", "correlation_filter"]
    assert (row.mode, row.base, row.adjusted) == ("on", 1.0, 1.0)
    recorder.end_of_backtest(datetime.fromtimestamp(time + 10**6, tz=UTC), guard)  # no backtest's
    assert ledger.check() == []


def test_a_ledger_that_fails_does_not_refuse_an_entry(bot, caplog, monkeypatch):
    board, recorder, ledger = bot
    guard, time = EntryGuard(board), board.last_candle() + 3600
    monkeypatch.setattr(type(ledger), "write_candle", lambda *_: (_ for _ in ()).throw(ledger_error()))
    verdict = guard.ask("BTC/USDT", 1, time, Slots(lambda: []), SETTINGS)
    recorder.asked(time, verdict)
    assert verdict.allowed
    assert "did not take an entry's limits" in caplog.text


def ledger_error():
    return OperationalError("insert", {}, OSError("disk full"))


def test_decisions_are_logged_with_what_improved_them(walks, caplog, tmp_path):
    board = SignalBoard(can_short=True)
    run = LiveRun(
        {"user_data_dir": str(tmp_path), "timeframe": "1h"}, "TechnicalBaseline", SETTINGS, can_short=True
    )
    recorder = Recorder({"user_data_dir": str(tmp_path)}, "TechnicalBaseline", board)
    board.go_live(run)
    recorder.go_live(run)
    whole = analyse("BTC/USDT", Candles.from_frame(walks["BTC/USDT"], "1h"), {}, SETTINGS, ml=False)
    candles = Candles.from_frame(walks["BTC/USDT"].iloc[: whole.index[-1] + 1], "1h")
    board.put(analyse("BTC/USDT", candles, {}, SETTINGS, ml=False))
    with caplog.at_level(logging.INFO):
        recorder.decided("BTC/USDT", SETTINGS, print)
    value = whole.improved["dynamic_reward_risk"].adjusted[-1]
    assert f"dynamic_reward_risk (on): 2.5 -> {value:.3g}" in caplog.text
    assert "volatility_sizing (shadow): 1 -> " in caplog.text
