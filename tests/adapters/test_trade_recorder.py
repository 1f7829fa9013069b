"""After a restart the ledger follows Freqtrade's trades, the hedge aside."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from freqtrade.persistence import Trade

from coordinator.adapters.persistence.trade_recorder import TradeRecorder

NOW = datetime(2023, 3, 6, 7, 15, tzinfo=UTC)


def trade(pair, tag):
    opened = NOW - timedelta(hours=1)
    return SimpleNamespace(
        pair=pair, enter_tag=tag, is_open=True, nr_of_successful_entries=1, open_date_utc=opened
    )


@pytest.fixture
def recorder(monkeypatch):
    held = [trade("BTC/USDT:USDT", "hedge: drawdown 5 %"), trade("ETH/USDT:USDT", "breakout")]
    monkeypatch.setattr(Trade, "get_trades_proxy", staticmethod(lambda **_: held))
    monkeypatch.setattr(Trade, "get_open_trades", staticmethod(lambda: held))
    made = TradeRecorder(lambda pair, time: None)
    made.start_live(SimpleNamespace(trades_stale=True, open_trades=set))
    return made


def reconcile(recorder, now, record):
    recorder.reconcile(
        now,
        record,
        lambda moment: int(moment.timestamp()) // 3600 - 1,
        lambda one: one.enter_tag.startswith("hedge"),
    )


def test_the_hedge_is_no_trade_of_the_ledger(recorder):
    recorded = []
    reconcile(recorder, NOW, lambda one: recorded.append(one.pair))
    assert recorded == ["ETH/USDT:USDT"]


def test_what_cannot_be_recorded_yet_is_looked_at_with_the_next_candle(recorder):
    recorded = []

    def postponed(one):
        recorded.append(one.pair)
        recorder.postpone()

    for minutes in (0, 5, 60, 65):
        reconcile(recorder, NOW + timedelta(minutes=minutes), postponed)
    assert len(recorded) == 2
