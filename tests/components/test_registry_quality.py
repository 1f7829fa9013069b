"""Signal quality by the registry's models: at each candle the champion that had not seen it, whoever asks and when."""

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coordinator.adapters.freqai.registry import follow_registry
from coordinator.components.absence import NO_MODEL, TRAINED_ON
from coordinator.components.component import Window
from coordinator.components.composite import Composite
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.components.model_files import register_models, speaking_models
from coordinator.components.registry_models import registry_name
from coordinator.components.registry_quality import RegistryPlace
from coordinator.components.samples import stored_schema
from coordinator.errors import CoordinatorError
from coordinator.learning.quality import train_model
from coordinator.ledger.registry import ModelInfo, ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.signals.panel_features import PANEL_SCHEMA

PAIRS = ("BTC/USDT", "ETH/USDT")
DAY, HOUR = 86400, 3600
SECTION = {
    "baseline": {"clock": "1d", "fast_channel": 10, "exit_channel": 5, "rearm": "on"},
    "targets": {"enabled": False, "horizon": 10},
    "quality": {"samples": "panel", "source": "registry", "trees": 10, "leaf_samples": 20},
    "learning": {"components": ["quality"]},
}
SETTINGS = load_settings(SECTION)


@pytest.fixture(scope="module")
def market(make_walk, make_higher):
    histories = {}
    for seed, pair in enumerate(PAIRS, start=40):
        hourly = make_walk(seed, 24 * 420)
        frames = {"1h": hourly, "4h": make_higher(hourly, "4h"), "1d": make_higher(hourly, "1d")}
        histories[pair] = PairHistory({name: Candles.from_frame(f, name) for name, f in frames.items()})
    return MarketHistory(histories, SETTINGS)


@pytest.fixture
def place(tmp_path):
    return RegistryPlace(Ledger(tmp_path / "x.sqlite"), tmp_path / "models")


def add_champion(place, market, until_day, seed):
    """A model trained on the panel before a day, champion from as soon as it may speak; it, and from when on."""
    settings = SETTINGS.quality.model_copy(update={"seed": seed})
    rows = market.quality_rows
    first = int(market.pairs[PAIRS[0]].candles["1h"].time[0])
    train = np.flatnonzero((rows.outcome_time >= 0) & (rows.outcome_time < first + until_day * DAY))
    model = train_model(rows, settings, train)
    content = model.to_bytes()
    place.folder.mkdir(exist_ok=True)
    path = place.folder / f"{until_day}{model.suffix}"
    path.write_bytes(content)
    info = ModelInfo(
        name=registry_name("1d", "1d"),
        kind="lightgbm",
        trained_from=int(rows.time[train].min()),
        trained_until=int(rows.time[train].max()),
        label_horizon=240,
        candle_seconds=HOUR,
        features=stored_schema(PANEL_SCHEMA),
        metrics={},
        file=str(path),
        file_hash=hashlib.sha256(content).hexdigest(),
    )
    assert info.valid_from > int(rows.outcome_time[train].max())
    ModelRegistry(place.ledger).enter(info, info.valid_from, f"of day {until_day}", promoted=True)
    return model, info.valid_from


def predicted(place, market, pair, times):
    composite = Composite(["quality"], SETTINGS, place)
    trained = composite.train(Window(0, 0, market.pairs, market), None, lambda *_: None, tolerant=False)
    assert pickle.dumps(trained)  # FreqAI keeps it so
    return composite.predict(trained, pair, times, market, tolerant=False)


def test_each_candle_gets_the_champion_that_had_not_seen_it(place, market):
    first, begin = add_champion(place, market, 250, seed=1)
    second, change = add_champion(place, market, 330, seed=2)
    pair = PAIRS[1]
    times = market.pairs[pair].candles["1h"].time
    columns = predicted(place, market, pair, times)
    score, absence = columns["signal_quality"], columns["quality_absence"]
    at = np.isin(times, market.signal_times(pair))
    assert np.isnan(score[times < begin]).all()
    assert (absence[times < begin] == TRAINED_ON).all()
    assert np.isfinite(score[at & (times >= begin)]).all()
    technical = market.technical(pair)
    for model, here in ((first, (times >= begin) & (times < change)), (second, times >= change)):
        rows = at & here
        assert rows.sum() > 3
        rises = model.predict_proba(market.panel_at(pair, times[rows]), PANEL_SCHEMA)
        expected = np.where(technical.signal[rows] > 0, rises, 1 - rises)
        np.testing.assert_allclose(score[rows], expected, atol=1e-6)


def test_a_later_champion_changes_no_earlier_score_and_is_followed_at_once(place, market):
    pair = PAIRS[0]
    times = market.pairs[pair].candles["1h"].time
    add_champion(place, market, 250, seed=1)
    composite = Composite(["quality"], SETTINGS, place)
    trained = composite.train(Window(0, 0, market.pairs, market), None, lambda *_: None, tolerant=False)
    before, digest = composite.predict(trained, pair, times, market, tolerant=False), composite.digest
    _, change = add_champion(place, market, 330, seed=2)
    after = composite.predict(trained, pair, times, market, tolerant=False)
    early = times < change
    np.testing.assert_array_equal(before["signal_quality"][early], after["signal_quality"][early])
    late = ~early & np.isfinite(after["signal_quality"])
    assert (before["signal_quality"][late] != after["signal_quality"][late]).any()
    assert composite.digest != digest


def test_predictions_that_were_stored_before_a_training_are_replaced(place, market):
    add_champion(place, market, 250, seed=1)
    pair = PAIRS[0]
    times = market.pairs[pair].candles["1h"].time
    date = pd.to_datetime(times, unit="s", utc=True)
    frame = pd.DataFrame({"date": date, "signal_quality": 0.9, "other": 1.0})
    composite = Composite(["quality"], SETTINGS, place)
    follow_registry(composite, frame, pair, market, tolerant=False)
    expected = predicted(place, market, pair, times)
    np.testing.assert_array_equal(frame["signal_quality"], expected["signal_quality"])
    np.testing.assert_array_equal(frame["quality_absence"], expected["quality_absence"])
    assert (frame["other"] == 1.0).all()


def test_the_champions_go_into_the_runs_own_ledger_as_far_as_they_spoke(place, market, tmp_path):
    _, begin = add_champion(place, market, 250, seed=1)
    _, change = add_champion(place, market, 330, seed=2)
    standing = Composite(["quality"], SETTINGS, place).standing_models
    assert [verdict.time for verdict in standing] == [begin, change]
    assert speaking_models(standing, begin - DAY, change - DAY) == standing[:1]
    assert speaking_models(standing, change + DAY, change + 9 * DAY) == standing[1:]
    run = Ledger(tmp_path / "run.sqlite")
    register_models(run, standing, HOUR)
    succession = ModelRegistry(run).succession("quality")
    assert [succession.at(t).info.file_hash for t in (begin, change)] == [v.file_hash for v in standing]


def test_without_a_model_it_is_said_what_to_type(place, market):
    with pytest.raises(CoordinatorError, match=r"train one with `coordinator quality train`.*no such file"):
        predicted(place, market, PAIRS[0], np.array([0]))
    place.ledger.upgrade()
    with pytest.raises(CoordinatorError, match=r"train one with `coordinator quality train`.*'none'"):
        predicted(place, market, PAIRS[0], np.array([0]))


def test_where_no_model_was_good_enough_it_is_absent_and_the_rest_trades_on(place, market):
    add_champion(place, market, 250, seed=1)
    registry = ModelRegistry(place.ledger)
    (model,) = registry.models()
    registry.archive("signal_quality")
    info = replace(model.info, name="signal_quality")
    registry.enter(info, info.valid_from, "not better", promoted=False)
    times = market.pairs[PAIRS[0]].candles["1h"].time
    columns = predicted(place, market, PAIRS[0], times)
    assert np.isnan(columns["signal_quality"]).all()
    assert (columns["quality_absence"] == NO_MODEL).all()
    composite = Composite(["quality"], SETTINGS, place)
    assert composite.standing_models == []
    frame = pd.DataFrame({"date": pd.to_datetime(times, unit="s", utc=True), "signal_quality": 0.9})
    follow_registry(composite, frame, PAIRS[0], market, tolerant=False)
    assert frame["signal_quality"].isna().all()
