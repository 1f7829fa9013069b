"""Fast start: models over history, trained walk-forward, stored; and the signals that come of them."""

import numpy as np
import pandas as pd
import pytest

from coordinator.components.absence import FAILED, NO_MODEL
from coordinator.components.composite import Composite
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.components.prediction_store import PredictionStore
from coordinator.components.replay import replay_models
from coordinator.jobs.freqtrade_process import FAST_START, _report
from coordinator.learning import retraining
from coordinator.learning.promotion import Verdict
from coordinator.run.history import replay_signals, summarise_history
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

PAIRS = ("BTC/USDT", "ETH/USDT")
DAY = 86400
SETTINGS = load_settings(
    {
        "learning": {"components": ["quality"]},
        "quality": {"trees": 5, "retrain_days": 30, "embargo_candles": 0, "minimum_samples": 20},
        "blending": {"foundation_outcomes": 20},
    }
)


@pytest.fixture(scope="module")
def frames(make_walk):
    return {pair: make_walk(seed, 24 * 260) for seed, pair in enumerate(PAIRS, start=31)}


@pytest.fixture(scope="module")
def make_market(frames, make_higher):
    def make(rows=None):
        histories = {}
        for pair, frame in frames.items():
            part = frame.head(rows or len(frame))
            higher = {name: Candles.from_frame(make_higher(part, name), name) for name in ("4h", "1d")}
            histories[pair] = PairHistory({"1h": Candles.from_frame(part, "1h"), **higher})
        return MarketHistory(histories, SETTINGS)

    return make


@pytest.fixture(autouse=True)
def promoted(monkeypatch):
    """Every challenger is promoted, as walks teach nothing."""
    verdict = Verdict(True, "promoted by the test", 0.6, np.nan, 0.6, 0.7)
    monkeypatch.setattr(retraining, "judge", lambda *_: verdict)


def replay(market, days=(130, 250), composite=None, groups=(PAIRS,)):
    first = int(market.pairs[PAIRS[0]].candles["1h"].time[0])
    begin, until = (first + day * DAY for day in days)
    composite = composite or Composite(["quality"], SETTINGS)
    return begin, until, replay_models(composite, market, groups, begin, until, train_days=100, step_days=50)


def seconds(frame):
    return frame["date"].to_numpy(dtype="datetime64[s]").astype(np.int64)


def test_it_speaks_of_its_stretch_only_and_trains_at_the_start_of_each_step(make_market, monkeypatch):
    composite, windows = Composite(["quality"], SETTINGS), []
    train = composite.train
    monkeypatch.setattr(
        composite, "train", lambda window, *a, **k: windows.append(window) or train(window, *a, **k)
    )
    begin, until, predictions = replay(make_market(), composite=composite)
    assert [(w.end - begin) // DAY for w in windows] == [
        0,
        20,
        70,
    ]  # steps of 50 days end where the run begins
    assert [w.end - w.begin for w in windows] == [100 * DAY] * 3
    for pair, frame in predictions.items():
        inside = (seconds(frame) >= begin) & (seconds(frame) < until)
        assert (frame.loc[~inside, "quality_absence"] == NO_MODEL).all()
        assert frame.loc[~inside, "signal_quality"].isna().all()
        said = frame["signal_quality"].notna()
        signals = np.isin(seconds(frame), make_market().signal_times(pair)) & inside
        assert said.sum() > 20
        np.testing.assert_array_equal(said[inside], signals[inside])


def test_it_tells_how_far_it_is_in_words_that_the_main_job_shows(make_market, caplog):
    with caplog.at_level("INFO"):
        replay(make_market())
    assert FAST_START.findall(caplog.text) == [("1", "3"), ("2", "3"), ("3", "3")]
    shown = []
    _report(caplog.messages[0], lambda share, words: shown.append((share, words)))
    assert shown == [(0.0, "fast start, window 1/3")]


def test_no_candle_from_the_run_on_changes_it(make_market):
    *_, whole = replay(make_market())
    *_, cut = replay(make_market(rows=24 * 250))
    for pair in PAIRS:
        n = len(cut[pair])
        pd.testing.assert_frame_equal(whole[pair].head(n), cut[pair])


def test_what_fails_is_absent_and_the_replay_goes_on(make_market):
    composite = Composite(["quality"], SETTINGS)
    component = composite.components["quality"]
    train, calls = component.train, []

    def failing(window, previous):
        calls.append(window.end)
        if len(calls) == 2:
            raise ZeroDivisionError
        return train(window, previous)

    component.train = failing
    begin, _, predictions = replay(make_market(), composite=composite)
    frame = predictions[PAIRS[0]]
    second = (seconds(frame) >= begin + 20 * DAY) & (seconds(frame) < begin + 70 * DAY)
    assert (frame.loc[second, "quality_absence"] == FAILED).all()
    assert frame.loc[~second, "signal_quality"].notna().any()


def test_signals_and_their_votes_become_a_history(make_market):
    market = make_market()
    _, until, predictions = replay(market)
    before = replay_signals(market, predictions, {}, SETTINGS, ("quality",), until)
    assert before.until == until
    assert set(before.table.pairs) == set(PAIRS)
    assert before.table.time.max() < until
    spoken = np.isfinite(before.table.votes["quality"].confidence)
    assert 0.2 < spoken.mean() < 0.6
    assert (before.table.outcome_time[-1] >= until) or np.isfinite(before.table.outcome_r[-1])
    record = summarise_history(before, SETTINGS, can_short=True)
    (row,) = record.weights
    assert (record.time, row.phase, row.ml_weight) == (until - 1, "shadow", 0.0)
    assert row.reason.startswith(f"fast start: {len(before.table)} signals of 2 pairs from ")
    assert replay_signals(market, {}, {}, SETTINGS, ("quality",), until) is None
    assert replay_signals(market, predictions, {}, SETTINGS, ("quality",), 0) is None


def test_predictions_are_stored_whole_and_found_again(make_market, tmp_path):
    *_, predictions = replay(make_market())
    names = [name for name in predictions[PAIRS[0]] if name not in ("date", "do_predict")]
    store = PredictionStore(tmp_path / "history", names)
    times = {pair: make_market().pairs[pair].candles["1h"].time for pair in PAIRS}
    assert store.read(times) is None
    store.write(predictions)
    found = store.read(times)
    for pair in PAIRS:
        pd.testing.assert_frame_equal(found[pair], predictions[pair])
    assert store.read({**times, "ADA/USDT": times[PAIRS[0]]}) is None
    newer = np.append(
        times[PAIRS[1]], times[PAIRS[1]][-1] + 3600
    )  # candles downloaded since, and before the first
    older = np.append(times[PAIRS[1]][0] - 3600, times[PAIRS[1]])[:-1]
    for other in (newer, older):
        assert store.read({**times, PAIRS[1]: other}) is None
    assert PredictionStore(tmp_path / "history", [*names, "lstm_buy"]).read(times) is None
    (tmp_path / "history" / "BTC_USDT.feather").write_bytes(b"no feather")
    assert store.read(times) is None
