"""The simulated clock waits for trainings that are due, each once at a moment."""

import threading
import time
from collections import deque
from types import SimpleNamespace

import pytest
from freqtrade.freqai.freqai_interface import IFreqaiModel

from coordinator.adapters.replay.training_watch import TrainingWatch

HOUR = 3600


@pytest.fixture
def scanning(monkeypatch):
    """(watch, model) while the watch follows a model whose thread lives."""
    begun, end = threading.Event(), threading.Event()
    monkeypatch.setattr(IFreqaiModel, "_start_scanning", lambda self, strategy: (begun.set(), end.wait(20)))
    monkeypatch.setattr(IFreqaiModel, "extract_data_and_train_model", lambda self, *arguments: None)
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    model = SimpleNamespace(
        _stop_event=threading.Event(), _threads=[], train_queue=deque(["BTC/USDT", "ETH/USDT"]),
        freqai_info={"live_retrain_hours": 24}, dd=SimpleNamespace(pair_dict={}),
    )  # fmt: skip
    strategy = SimpleNamespace(
        dp=SimpleNamespace(current_whitelist=lambda: ["BTC/USDT", "ETH/USDT", "ADA/USDT"])
    )
    with TrainingWatch() as watch:
        thread = threading.Thread(target=IFreqaiModel._start_scanning, args=(model, strategy), daemon=True)
        model._threads.append(thread)
        thread.start()
        begun.wait(5)
        yield watch, model
        end.set()


def train(model, pair):
    IFreqaiModel.extract_data_and_train_model(model, None, pair, None, None, None)


def test_it_waits_until_each_queued_pair_was_tried_now(scanning, monkeypatch):
    watch, model = scanning
    assert watch.training()
    train(model, "BTC/USDT")
    assert watch.training()
    train(model, "ETH/USDT")  # ADA has left FreqAI's queue: nothing would ever train it
    assert not watch.training()
    monkeypatch.setattr(time, "time", lambda: 1_000_001.0)
    assert watch.training()


def test_a_young_model_is_not_due_and_an_old_one_is(scanning, monkeypatch):
    watch, model = scanning
    for pair in model.train_queue:
        model.dd.pair_dict[pair] = {"trained_timestamp": 1_000_000 - HOUR}
    assert not watch.training()
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0 + 24 * HOUR)
    assert watch.training()


def test_a_model_that_was_stopped_holds_nothing_up(scanning):
    watch, model = scanning
    model._stop_event.set()
    assert not watch.training()


def test_freqtrade_is_as_before_afterwards(monkeypatch):
    before = IFreqaiModel._start_scanning, IFreqaiModel.extract_data_and_train_model
    with TrainingWatch():
        assert IFreqaiModel._start_scanning is not before[0]
    assert (IFreqaiModel._start_scanning, IFreqaiModel.extract_data_and_train_model) == before
