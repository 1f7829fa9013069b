"""FreqAI's training thread: it ends with its bot, in a training too, and trains only where there are candles."""

import threading
import time
from collections import deque
from types import SimpleNamespace

import pandas as pd
import pytest
from freqtrade.configuration import TimeRange
from freqtrade.freqai.freqai_interface import IFreqaiModel

from coordinator.adapters.freqai.scanning import ScanningModel, end_threads


def test_a_thread_that_works_is_broken_off_and_what_it_must_clean_up_is():
    done = deque()
    working = threading.Event()

    def train():
        try:
            while True:
                working.set()
                time.sleep(0.01)
        except Exception:
            done.append("swallowed")
        finally:
            done.append("cleaned up")

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    working.wait(5)
    assert end_threads([thread], grace=0.05)
    assert not thread.is_alive()
    assert list(done) == ["cleaned up"]


def test_a_thread_that_stops_by_itself_is_left_alone(caplog):
    caplog.set_level("INFO")
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, daemon=True)
    thread.start()
    stop.set()
    assert end_threads([thread])
    assert "broken off" not in caplog.text


@pytest.fixture
def model(monkeypatch):
    """A model without FreqAI's folders, which remembers what it trained."""
    monkeypatch.setattr(ScanningModel, "__abstractmethods__", frozenset())
    made = ScanningModel.__new__(ScanningModel)
    made.config, made._told_outdated, made._threads = {"timeframe": "1h"}, set(), []
    made._stop_event, made.freqai_info, made.trained = threading.Event(), {}, []
    made.dd = SimpleNamespace(historic_data={})
    monkeypatch.setattr(
        IFreqaiModel,
        "extract_data_and_train_model",
        lambda self, timerange, pair, *others: self.trained.append(pair),
    )
    return made


def candles(end):
    return {"1h": pd.DataFrame({"date": pd.date_range(end=end, periods=10, freq="1h", tz="UTC")})}


def test_a_window_without_candles_trains_nothing_and_is_told_once(model, caplog):
    window = TimeRange("date", "date", int(pd.Timestamp("2026-05-01", tz="UTC").timestamp()), 2_000_000_000)
    model.dd.historic_data = {"BTC/USDT": candles("2023-12-31 23:00"), "ETH/USDT": candles("2026-05-02")}
    for _ in range(3):
        for pair in ("BTC/USDT", "ETH/USDT", "ADA/USDT"):
            model.extract_data_and_train_model(window, pair, None, None, window)
    assert model.trained == ["ETH/USDT"] * 3
    told = [record.getMessage() for record in caplog.records if "cannot be trained on" in record.getMessage()]
    assert len(told) == 2
    assert "2023-12-31 23:00" in told[0]
    assert "coordinator demo" in told[0]


def test_shutdown_ends_a_training_within_seconds(model, monkeypatch):
    monkeypatch.setattr(IFreqaiModel, "shutdown", lambda self: None)
    monkeypatch.setattr(ScanningModel, "_start_scanning", lambda self: time.sleep(0.001) or endless(self))

    def endless(self):
        while True:
            time.sleep(0.01)

    model.start_scanning()
    thread = model._threads[0]
    began = time.monotonic()
    model.shutdown()
    assert not thread.is_alive()
    assert time.monotonic() - began < 30
