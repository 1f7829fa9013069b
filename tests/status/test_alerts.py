"""Which causes are told, and how often; the ledger and the registry are real ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.records import CandleRecord, SnapshotRow
from coordinator.ledger.registry import ModelInfo, ModelRegistry
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.settings import load_settings
from coordinator.settings.alerts import AlertSettings
from coordinator.status.alerts.book import AlertBook, chat_text
from coordinator.status.alerts.causes import candle_alerts, silence_alerts
from coordinator.status.alerts.history import read_alerts
from coordinator.status.facts import Facts
from coordinator.status.source import Source
from coordinator.types import SECONDS_PER_DAY

HOUR = 3600
CANDLE = 1_700_000_000 // HOUR * HOUR
NOW = datetime.fromtimestamp(CANDLE + HOUR + 20, tz=UTC)
FACTS = Facts(
    at=NOW,
    candle=CANDLE,
    pairs=("BTC/USDT", "ETH/USDT"),
    newest={"BTC/USDT": CANDLE, "ETH/USDT": CANDLE},
    signals={"BTC/USDT": {"time": CANDLE}},
)


class Store:
    """A bot's ledger as far as alerts use it."""

    def __init__(self, path):
        self.ledger = Ledger(path)
        self.run_id = self.ledger.open_run(RunInfo("S", NOW, "1h"))

    def store_state(self, name, time, state):
        self.ledger.write_candle(self.run_id, CandleRecord(time, snapshots=(SnapshotRow(name, dict(state)),)))

    def told(self):
        return {name for name, _ in self.ledger.named_snapshots(self.run_id, "told ")}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "ledger.sqlite")


def source(store, **alerts):
    settings = load_settings({"alerts": alerts})
    return Source(store.ledger, settings, run_id=store.run_id, facts=lambda: FACTS)


def kinds(store, facts=FACTS, since=CANDLE - HOUR, **alerts):
    return [(alert.kind, alert.message) for alert in candle_alerts(source(store, **alerts), facts, since)]


def test_a_cause_is_told_once_over_restarts_too_and_the_ledger_shows_it(store):
    sent = []
    book = AlertBook(AlertSettings(), store, store.told(), sent.append)
    assert book.tell("hedge", "on 1", "first", NOW, CANDLE)
    assert not book.tell("hedge", "on 1", "the same in other words", NOW, CANDLE)
    assert book.tell("hedge", "off 2", "second", NOW + timedelta(seconds=5), CANDLE)  # of the same candle
    again = AlertBook(AlertSettings(), store, store.told(), sent.append)
    assert not again.tell("hedge", "on 1", "first", NOW, CANDLE + HOUR)
    assert not again.tell("hedge", "off 2", "second", NOW, CANDLE + HOUR)
    assert sent == ["first", "second"]
    shown = read_alerts(source(store)).alerts
    assert [(one.kind, one.message) for one in shown] == [("hedge", "second"), ("hedge", "first")]
    assert store.ledger.check() == []


def test_switches_silence_kinds_and_all(store):
    for settings, kind in (
        (AlertSettings(guard=False), "guard"),
        (AlertSettings(anomaly=False), "anomaly"),
        (AlertSettings(enabled=False), "hedge"),
    ):
        sent = []
        book = AlertBook(settings, store, set(), sent.append)
        assert not book.tell(kind, "x", "text", NOW, CANDLE)
        assert not sent
        assert not store.told()  # nothing was told, so it is told once it is switched on


def test_a_ledger_that_takes_nothing_is_no_reason_to_tell_twice(store):
    class Broken:
        def store_state(self, *args):
            pass

    sent = []
    book = AlertBook(AlertSettings(), Broken(), set(), sent.append)
    for _ in range(3):
        book.tell("drift", "model", "drifted", NOW, CANDLE)
    assert sent == ["drifted"]


def test_texts_have_no_marks_that_telegram_would_trip_over():
    assert chat_text("signal_quality *x* `y` [z](http://a)") == "signal quality x 'y' (z)(http://a)"
    assert len(chat_text("x" * 9000)) < 4096


@pytest.mark.parametrize(("hours", "expected"), [(0.0, 0), (1.9, 0), (2.1, 1)])
def test_a_silent_exchange(hours, expected):
    now = NOW + timedelta(hours=hours)
    assert len(list(silence_alerts(FACTS, now, HOUR, 2.0))) == expected


def test_a_silent_pair_and_one_that_is_traded_no_more():
    newest = {"BTC/USDT": CANDLE, "ETH/USDT": CANDLE - 3 * HOUR, "OLD/USDT": 0}
    (alert,) = silence_alerts(replace(FACTS, newest=newest), NOW, HOUR, 2.0)
    assert "ETH/USDT has had no candle since" in alert.message


def test_no_signal_for_days(store):
    quiet = replace(FACTS, signals={"BTC/USDT": {"time": CANDLE - 15 * SECONDS_PER_DAY}})
    assert kinds(store, quiet, no_signal_days=14.0)[0][1].startswith(
        "Coordinator: no signal on any pair for 15"
    )
    assert kinds(store, quiet, no_signal_days=16.0) == []
    never = replace(FACTS, signals={})
    assert kinds(store, never, since=CANDLE - 15 * SECONDS_PER_DAY) != []
    assert kinds(store, never, since=CANDLE - 3 * SECONDS_PER_DAY) == []
    no_candles = replace(never, newest={})  # it has looked at nothing yet
    assert kinds(store, no_candles, since=CANDLE - 15 * SECONDS_PER_DAY) == []


def test_refusals_once_a_day_pair_and_reason(store):
    def causes(time, reason):
        facts = replace(FACTS, refusals={"ETH/USDT": (time, reason)})
        return [a.cause for a in candle_alerts(source(store), facts, CANDLE)]

    first = causes(CANDLE, "correlation_filter: correlated with BTC/USDT +0.81")
    assert first == causes(CANDLE + HOUR, "correlation_filter: correlated with BTC/USDT +0.79")
    assert first != causes(CANDLE + SECONDS_PER_DAY, "correlation_filter: correlated with BTC/USDT +0.81")
    assert first != causes(CANDLE, "8 positions are open")


def test_the_hedge_on_and_off(store):
    on = {"since": CANDLE, "active": True, "words": "The portfolio is hedged: drawdown 11 %"}
    (one,) = candle_alerts(source(store), replace(FACTS, hedge=on), CANDLE)
    (two,) = candle_alerts(source(store), replace(FACTS, hedge={**on, "active": False}), CANDLE)
    assert one.kind == two.kind == "hedge"
    assert one.cause != two.cause
    assert "drawdown 11 %" in one.message


def test_failed_trainings_and_components(store):
    absent = {
        "lstm": {"BTC/USDT": "raised an exception", "ETH/USDT": "no model: none was good enough"},
        "quality": {"ETH/USDT": "FreqAI raised ValueError"},
        "fusion": {"ETH/USDT": "late"},
    }
    facts = replace(FACTS, absences=absent, failed_trainings=((CANDLE, "IndexError"),))
    found = kinds(store, facts)
    assert [kind for kind, _ in found] == ["training"] * 3
    assert "lstm failed for BTC/USDT;" in found[0][1]
    assert "quality failed for ETH/USDT;" in found[1][1]
    assert "IndexError" in found[2][1]


def model(store, until, promoted=True, name="signal_quality"):
    schema = FeatureSchema("1", ("a", "b"))
    info = ModelInfo(
        name, "lightgbm", until - 10 * HOUR, until, 2, HOUR, schema, {}, f"{until}.txt", f"{until:064d}"
    )
    return ModelRegistry(store.ledger).enter(info, until + 3 * HOUR, "better by .01", promoted=promoted)


def test_promotions_after_the_bots_beginning_and_stale_champions(store):
    model(store, CANDLE - 50 * SECONDS_PER_DAY)
    (stale,) = kinds(store)
    assert stale[0] == "anomaly"
    assert "the champion is stale, its newest sample is 50 days old" in stale[1]
    assert kinds(store, stale_model_days=60) == []
    model(store, CANDLE - 3 * HOUR, promoted=False)
    assert kinds(store, stale_model_days=60) == []
    model(store, CANDLE - 2 * HOUR)
    (promotion,) = kinds(store)
    assert promotion[0] == "promotion"
    assert "model 3 is champion" in promotion[1]
    assert "better by .01" in promotion[1]
