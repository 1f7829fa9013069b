"""Signal quality from the panel, and one model for each of several clocks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from coordinator.components.component import Window
from coordinator.components.composite import Composite
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.learning import retraining
from coordinator.learning.promotion import Verdict
from coordinator.run.pair_analysis import analyse_clocks
from coordinator.run.predictions import with_predictions
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.signals.panel_features import PANEL_SCHEMA

PAIRS = ("BTC/USDT", "ETH/USDT")
DAY = 86400
SETTINGS = load_settings(
    {
        "baseline": {"fast_channel": 10, "exit_channel": 5, "rearm": "on"},
        "targets": {"enabled": False, "horizon": 20},
        "quality": {
            "samples": "panel",
            "trees": 20,
            "retrain_days": 60,
            "embargo_candles": 0,
            "leaf_samples": 20,
        },
        "learning": {"components": ["quality"]},
        "clocks": {"1d": {}, "4h": {"targets": {"horizon": 60}, "quality": {"panel_horizon": 30}}},
    }
)


@pytest.fixture(scope="module")
def frames(make_walk, make_higher):
    out = {}
    for seed, pair in enumerate(PAIRS, start=40):
        hourly = make_walk(seed, 24 * 460)
        out[pair] = {"1h": hourly, "4h": make_higher(hourly, "4h"), "1d": make_higher(hourly, "1d")}
    return out


def market_of(frames, until=None):
    histories = {}
    for pair, parts in frames.items():
        kept = parts if until is None else {n: f[f["date"] < until[n]] for n, f in parts.items()}
        histories[pair] = PairHistory({name: Candles.from_frame(frame, name) for name, frame in kept.items()})
    return MarketHistory(histories, SETTINGS)


@pytest.fixture(scope="module")
def trained(frames):
    """A composite trained on 400 days, its model and the market it read."""
    market, end = market_of(frames), int(frames[PAIRS[0]]["1h"]["date"].iloc[0].timestamp()) + 400 * DAY
    window = Window(end - 180 * DAY, end, market.pairs, market)
    composite = Composite(["quality"], SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        good = Verdict(True, "promoted by the test", 0.6, np.nan, 0.6, 0.7)
        patch.setattr(retraining, "judge", lambda *a: good)
        results = {}
        model = composite.train(
            window, None, lambda name, result: results.update({name: result}), tolerant=False
        )
    return composite, model, market, end, results


def test_each_clock_trains_its_own_model_on_its_own_panel(trained):
    composite, model, _, end, results = trained
    assert set(results) == set(composite.components) == {"quality", "quality_4h"}
    assert composite.columns == [
        "signal_quality",
        "signal_quality_4h",
        "quality_absence",
        "quality_4h_absence",
    ]
    assert [results[name].label_horizon for name in ("quality", "quality_4h")] == [10 * 24, 30 * 4]
    assert {result.schema.hash for result in results.values()} == {PANEL_SCHEMA.hash}
    for name, clock in (("quality", DAY), ("quality_4h", 4 * 3600)):
        assert (results[name].trained_until + 3600) % clock == 0
        assert results[name].trained_until < end
        assert model.active_models[name].valid_from == end


def test_a_signals_score_is_the_chance_of_its_own_direction(trained):
    composite, model, market, end, _ = trained
    pair = PAIRS[1]
    times = market.pairs[pair].candles["1h"].time
    times = times[times >= end]
    columns = composite.predict(model, pair, times, market, tolerant=False)
    for name, clock in (("quality", "1d"), ("quality_4h", "4h")):
        own = market.on_clock(clock)
        at = np.isin(times, own.signal_times(pair))
        score = columns[f"signal_{name}"]
        assert np.isfinite(score[at]).all()
        assert np.isnan(score[~at]).all()
        rises = model.active_models[name].model.model.predict_proba(
            own.panel_at(pair, times[at]), PANEL_SCHEMA
        )
        base = own.pairs[pair].candles["1h"].time
        direction = own.technical(pair).signal[np.searchsorted(base, times[at])]
        assert set(direction) == {-1, 1}
        np.testing.assert_allclose(score[at], np.where(direction > 0, rises, 1 - rises))


def test_what_comes_later_changes_no_score(trained, frames):
    composite, model, market, end, _ = trained
    pair, cut = PAIRS[0], end + 20 * DAY + 5 * 3600
    closes = {"1h": 3600, "4h": 4 * 3600, "1d": DAY}
    start = frames[pair]["1h"]["date"].iloc[0]
    until = {name: start.__class__(cut - length + 1, unit="s", tz="UTC") for name, length in closes.items()}
    early = market_of(frames, until)
    times = early.pairs[pair].candles["1h"].time
    times = times[times >= end]
    whole = composite.predict(model, pair, times, market, tolerant=False)
    part = composite.predict(model, pair, times, early, tolerant=False)
    for name in ("signal_quality", "signal_quality_4h"):
        np.testing.assert_array_equal(part[name], whole[name])
        assert np.isfinite(part[name]).any()


def test_each_clocks_signals_get_their_own_models_scores(trained, frames):
    composite, model, market, end, _ = trained
    pair = PAIRS[0]
    candles = market.pairs[pair].candles
    columns = composite.predict(model, pair, candles["1h"].time, market, tolerant=False)
    predicted = frames[pair]["1h"].assign(**columns, do_predict=1)
    for analysis in analyse_clocks(pair, candles["1h"], candles, SETTINGS, ml=True):
        judged = with_predictions(analysis, predicted, ("quality",))
        column = "signal_quality" if analysis.clock == "1d" else "signal_quality_4h"
        later = candles["1h"].time[analysis.index] >= end
        assert later.any()
        np.testing.assert_array_equal(
            judged.votes["quality"].confidence[later], columns[column][analysis.index][later]
        )
        assert np.isnan(judged.votes["quality"].confidence[~later]).all()
        without = with_predictions(replace(analysis), predicted.drop(columns=column), ("quality",))
        assert set(without.absence_reasons["quality"]) == {"no model yet"}


def test_an_online_update_is_the_same_for_one_candle_alone_and_knows_nothing_of_later_ones(trained, frames):
    composite, model, market, end, _ = trained
    dumped = SETTINGS.model_dump(mode="json")
    updated = Composite(
        ["quality"], load_settings({**dumped, "quality": {**dumped["quality"], "online_days": 3}})
    )
    pair, name = PAIRS[0], "signal_quality"
    times = market.pairs[pair].candles["1h"].time
    times = times[times >= end]
    whole = updated.predict(model, pair, times, market, tolerant=False)[name]
    as_it_is = composite.predict(model, pair, times, market, tolerant=False)[name]
    at = np.flatnonzero(np.isfinite(whole))
    np.testing.assert_array_equal(np.isfinite(as_it_is), np.isfinite(whole))
    assert (whole[at] != as_it_is[at]).all()  # labels of its judging slice have been known for long
    closes = {"1h": 3600, "4h": 4 * 3600, "1d": DAY}
    for i in at[[3, len(at) // 2, -3]]:
        until = {
            key: pd.Timestamp(int(times[i]) + 3601 - length, unit="s", tz="UTC")
            for key, length in closes.items()
        }
        early = market_of(frames, until)
        alone = updated.predict(model, pair, times[i : i + 1], market, tolerant=False)[name]
        then = updated.predict(model, pair, times[i : i + 1], early, tolerant=False)[name]
        assert alone[0] == whole[i] == then[0]
