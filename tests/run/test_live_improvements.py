"""A bot's improvements: in its ledger candle by candle, the numbers a backtest has, from frames that begin later."""

import logging
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from coordinator.ledger.location import ledger_location
from coordinator.ledger.store import Ledger
from coordinator.portfolio.entry_round import Slots
from coordinator.portfolio.guard import Position
from coordinator.run.decision_recorder import DecisionRecorder
from coordinator.run.entry_guard import EntryGuard
from coordinator.run.live.decisions import LiveDecisions
from coordinator.run.live.ledger import LiveLedger
from coordinator.run.pair_analysis import analyse
from coordinator.run.trading_run import TradingRun
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
    """(trading_run, recorder, ledger) of a bot after a hundred candles."""
    config = {"user_data_dir": str(tmp_path_factory.mktemp("bot")), "timeframe": "1h", "runmode": "dry_run"}
    ledger = LiveLedger(config, "TechnicalBaseline", SETTINGS, "bot")
    run = LiveDecisions(SETTINGS, ledger, can_short=True)
    trading_run = TradingRun(can_short=True)
    recorder = DecisionRecorder(config, "TechnicalBaseline", trading_run, is_backtest=False)
    trading_run.start_live(run)
    recorder.start_live(run)
    for end in range(FIRST, N):
        for pair, walk in walks.items():
            candles = Candles.from_frame(walk.iloc[end + 1 - FRAME : end + 1], "1h")
            trading_run.put(analyse(pair, candles, {}, SETTINGS, ml=False))
            recorder.record_decisions(pair, SETTINGS, print, print)
    return trading_run, recorder, Ledger(ledger_location(config, SETTINGS))


def stored(ledger):
    (run,) = ledger.runs()["id"]
    return {
        (record.time, row.pair, row.name): row
        for record in ledger.replay(int(run))
        for row in record.improvements
    }


def test_the_numbers_are_a_backtests(bot, walks):
    _, _, ledger = bot
    batch = TradingRun(can_short=True)
    for pair, walk in walks.items():
        batch.put(analyse(pair, Candles.from_frame(walk, "1h"), {}, SETTINGS, ml=False))
    since = int(walks["BTC/USDT"]["date"].iloc[FIRST].timestamp())
    expected = {
        (record.time, row.pair, row.name): row
        for record in batch.learning_records(SETTINGS)
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
    trading_run, recorder, ledger = bot
    guard, time = EntryGuard(trading_run), trading_run.market.last_candle()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            verdict = guard.check("BTC/USDT", 1, time, Slots(lambda: [Position("ADA/USDT", 1)]), SETTINGS)
            recorder.record_check(time, verdict)
            assert not verdict.allowed
    assert (
        caplog.text.count(
            "BTC/USDT: the entry is refused by correlation_filter: correlated with ADA/USDT +1.00"
        )
        == 1
    )
    row = stored(ledger)[time, "BTC/USDT", "correlation_filter"]
    assert (row.mode, row.base, row.adjusted) == ("on", 1.0, 1.0)
    moment = datetime.fromtimestamp(time + 10**6, tz=UTC)
    recorder.complete_backtest(moment, guard.checked, guard.refused)  # no backtest's
    assert ledger.check() == []


def test_a_ledger_that_fails_does_not_refuse_an_entry(bot, caplog, monkeypatch):
    trading_run, recorder, ledger = bot
    guard, time = EntryGuard(trading_run), trading_run.market.last_candle() + 3600
    monkeypatch.setattr(type(ledger), "write_candle", lambda *_: (_ for _ in ()).throw(ledger_error()))
    verdict = guard.check("BTC/USDT", 1, time, Slots(lambda: []), SETTINGS)
    recorder.record_check(time, verdict)
    assert verdict.allowed
    assert "did not take an entry's limits" in caplog.text


def ledger_error():
    return OperationalError("insert", {}, OSError("disk full"))


def test_decisions_are_logged_with_what_improved_them(walks, caplog, tmp_path):
    trading_run = TradingRun(can_short=True)
    ledger = LiveLedger(
        {"user_data_dir": str(tmp_path), "timeframe": "1h"}, "TechnicalBaseline", SETTINGS, "bot"
    )
    run = LiveDecisions(SETTINGS, ledger, can_short=True)
    config = {"user_data_dir": str(tmp_path)}
    recorder = DecisionRecorder(config, "TechnicalBaseline", trading_run, is_backtest=False)
    trading_run.start_live(run)
    recorder.start_live(run)
    whole = analyse("BTC/USDT", Candles.from_frame(walks["BTC/USDT"], "1h"), {}, SETTINGS, ml=False)
    past = max(set(whole.index[:-1].tolist()) - set((whole.index - 1).tolist()))  # none on the next candle
    quiet = Candles.from_frame(walks["BTC/USDT"].iloc[: past + 2], "1h")
    trading_run.put(analyse("BTC/USDT", quiet, {}, SETTINGS, ml=False))
    with caplog.at_level(logging.INFO):
        recorder.record_decisions("BTC/USDT", SETTINGS, print, print)
    assert "unified confidence" not in caplog.text
    candles = Candles.from_frame(walks["BTC/USDT"].iloc[: whole.index[-1] + 1], "1h")
    trading_run.put(analyse("BTC/USDT", candles, {}, SETTINGS, ml=False))
    with caplog.at_level(logging.INFO):
        recorder.record_decisions("BTC/USDT", SETTINGS, print, print)
    side = {1: "long", -1: "short"}[int(whole.direction[-1])]
    assert f": {side} signal, {whole.technical.reasons(len(candles) - 1)}" in caplog.text
    assert f"1. technical analysis: {side}, confidence " in caplog.text
    assert "  unified confidence " in caplog.text
    value = whole.improvements["dynamic_reward_risk"].adjusted[-1]
    assert f"dynamic_reward_risk (on): 2.5 -> {value:.3g}" in caplog.text
    value = whole.improvements["volatility_sizing"].adjusted[-1]
    assert f"volatility_sizing (shadow): 1 -> {value:.3g}" in caplog.text
