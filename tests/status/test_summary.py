"""The day's summary by hand: a ledger of thirty hours with two signals an hour, three trades and two messages."""

from datetime import UTC, datetime, timedelta

import pytest

from coordinator.ledger.records import CandleRecord, SnapshotRow
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.ledger.trades import TradeRow
from coordinator.settings import load_settings
from coordinator.status.alerts.book import state_name
from coordinator.status.facts import Facts
from coordinator.status.source import Source
from coordinator.status.summary import read_summary, summary_text
from tests.ledger.conftest import decision_frame

START = datetime(2024, 1, 1, tzinfo=UTC)
BEGIN, HOUR = int(START.timestamp()), 3600
DAY = BEGIN // 86400


def at(hour):
    return START + timedelta(hours=hour)


def trade(opened, closed, profit, r):
    return TradeRow(
        BEGIN + (opened - 1) * HOUR,
        "BTC/USDT",
        1,
        at(opened),
        100.0,
        at(closed),
        100.0,
        1000.0,
        1.0,
        profit,
        r,
        "roi",
    )


def told(kind, cause, hour):
    state = {"kind": kind, "cause": cause, "message": cause, "at": at(hour).isoformat(timespec="seconds")}
    return CandleRecord(BEGIN + hour * HOUR, snapshots=(SnapshotRow(state_name(kind, cause), state),))


@pytest.fixture
def source(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    records = [told("daily", "2023-12-31", 0), told("hedge", "on 1", 5), told("guard", "the next day's", 25)]
    run = ledger.write_run(RunInfo("MLCoordinator", START, "1h"), decision_frame(60), records)
    trades = [trade(1, 11, 60.0, 1.5), trade(2, 14, -20.0, -1.0), trade(20, 28, 500.0, 5.0)]
    ledger.write_batch_trades(run, trades)
    facts = Facts(at=at(36), candle=BEGIN + 35 * HOUR, equity=10_540.0, currency="USDT")
    return Source(ledger, load_settings(None), facts=lambda: facts)


def test_it_is_of_the_day_that_ended_last(source):
    frame = decision_frame(60)
    view = read_summary(source)
    assert view.day == "2024-01-01"
    # Decided at the close of a candle, known at the close of the one that resolved it, five hours later.
    assert (view.signals, view.outcomes) == (48, 38)
    assert view.accepted == int(frame["accepted"][:48].sum())
    assert view.mean_r == pytest.approx(frame["outcome_r"][:38].mean(), abs=1e-6)
    assert (view.opened, view.closed) == (3, 2)
    assert (view.profit, view.profit_r) == (40.0, 0.5)
    assert (view.alerts, view.equity) == (1, 10_540.0)


def test_another_day_by_its_number(source):
    view = read_summary(source, DAY + 1)
    assert (view.day, view.signals, view.opened, view.closed) == ("2024-01-02", 12, 0, 1)
    assert (view.profit, view.profit_r, view.alerts) == (500.0, 5.0, 1)
    before = read_summary(source, DAY - 1)
    assert (before.signals, before.closed, before.profit, before.mean_r) == (0, 0, None, None)


def test_its_text_says_the_same(source):
    text = summary_text(read_summary(source))
    assert text.startswith("Coordinator, 2024-01-01")
    assert "3, 2" in text
    assert "+40.00 USDT, +0.50 R" in text
    assert "10,540.00 USDT" in text
    assert "1 alert that day" in text
