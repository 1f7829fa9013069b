"""Controls know nothing, say the same wherever history is cut, and break only what ties features to labels."""

import numpy as np
import pytest

from coordinator.components.component import Window
from coordinator.components.composite import Composite
from coordinator.components.controls import ShuffledMarket, ShuffledPair, control_components
from coordinator.components.market_history import MarketHistory, PairHistory
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles

PAIRS = ("BTC/USDT", "ETH/USDT")
NAMES = ("lstm", "fusion", "quality")
HOUR, DAY = 3600, 86400
SETTINGS = load_settings({"learning": {"components": list(NAMES)}, "quality": {"samples": "panel"}})


@pytest.fixture(scope="module")
def market(make_walk, make_higher):
    histories = {}
    for seed, pair in enumerate(PAIRS, start=3):
        frame = make_walk(seed, 24 * 200)
        candles = {name: Candles.from_frame(make_higher(frame, name), name) for name in ("4h", "1d")}
        histories[pair] = PairHistory({"1h": Candles.from_frame(frame, "1h"), **candles})
    return MarketHistory(histories, SETTINGS)


def times_of(market):
    return market.pairs[PAIRS[0]].candles["1h"].time


def predicted(market, kind, seed, times, pair=PAIRS[0]):
    composite = Composite(NAMES, SETTINGS)
    composite.components = control_components(composite.components, kind, seed, SETTINGS)
    window = Window(int(times_of(market)[0]), int(times_of(market)[24 * 100]), market.pairs, market)
    model = composite.train(window, None, lambda *_: None, tolerant=False)
    return composite.predict(model, pair, times, market, tolerant=False)


def test_noise_is_a_draw_a_day_pair_component_and_seed(market):
    times = times_of(market)[24 * 100 :]
    one = predicted(market, "noise", 1, times)
    buys = one["lstm_buy"].reshape(-1, 24)
    assert (buys == buys[:, :1]).all() and len(np.unique(buys)) == len(buys)
    assert one["lstm_hold"] + one["lstm_buy"] + one["lstm_sell"] == pytest.approx(1.0)
    assert one["signal_quality"].mean() == pytest.approx(0.5, abs=0.1)
    assert ((one["signal_quality"] > 0) & (one["signal_quality"] < 1)).all()
    others = (
        predicted(market, "noise", 2, times)["signal_quality"],
        predicted(market, "noise", 1, times, PAIRS[1])["signal_quality"],
        one["lstm_buy"] / 0.8,
    )
    for other in others:
        assert abs(np.corrcoef(one["signal_quality"], other)[0, 1]) < 0.3


def test_noise_is_the_same_whatever_part_of_history_is_asked_for(market):
    times = times_of(market)[24 * 100 :]
    whole, part = predicted(market, "noise", 1, times), predicted(market, "noise", 1, times[100:900])
    for name, values in part.items():
        np.testing.assert_array_equal(values, whole[name][100:900])


def test_the_constant_prefers_nothing(market):
    times = times_of(market)[24 * 100 :]
    out = predicted(market, "constant", 0, times)
    assert (out["signal_quality"] == 0.5).all() and (out["lstm_buy"] == out["lstm_sell"]).all()
    assert (out["fusion_model_direction"] == 0).all() and (out["fusion_model_score"] == 0).all()
    assert (out["lstm_absence"] == 0).all()


def test_controls_speak_of_nothing_that_lies_in_their_training(market):
    times = times_of(market)
    out = predicted(market, "noise", 1, times)
    assert np.isnan(out["lstm_buy"][: 24 * 100]).all() and np.isfinite(out["lstm_buy"][24 * 100 :]).all()


def test_shuffled_labels_are_the_same_labels_in_another_order(market):
    begin, end = int(times_of(market)[0]), int(times_of(market)[24 * 150])
    history = market.pairs[PAIRS[0]]
    true = history.block(SETTINGS.learning, begin, end)
    shuffled = ShuffledPair(history.candles, history, (1, 2), end)
    block = shuffled.block(SETTINGS.learning, begin, end)
    known = np.isfinite(true.labels)
    np.testing.assert_array_equal(np.isfinite(block.labels), known)
    np.testing.assert_array_equal(np.sort(block.labels[known]), np.sort(true.labels[known]))
    assert (block.labels[known] != true.labels[known]).mean() > 0.3
    np.testing.assert_array_equal(block.features, true.features)
    # The fusion's models take their features from the tables: those of before the end are dealt out anew, others stay.
    rows = np.isfinite(history.tables["1h"]).all(axis=1)
    before = rows & (times_of(market) < end)
    mine, its = shuffled.tables["1h"], history.tables["1h"]
    np.testing.assert_array_equal(mine[~before], its[~before])
    assert (mine[before] != its[before]).any(axis=1).mean() > 0.9
    np.testing.assert_array_equal(np.sort(mine[before], axis=0), np.sort(its[before], axis=0))


def test_shuffled_outcomes_stay_among_those_known_at_the_end(market):
    end = int(times_of(market)[24 * 150])
    rows = ShuffledMarket(market, SETTINGS, (1,), end).quality_rows
    true = market.quality_rows
    known = true.known_before(end)
    assert known.any() and not known.all()
    np.testing.assert_array_equal(rows.r[~known], true.r[~known])
    np.testing.assert_array_equal(np.sort(rows.r[known]), np.sort(true.r[known]))
    assert (rows.r[known] != true.r[known]).mean() > 0.9
    np.testing.assert_array_equal(rows.x, true.x)


def test_a_component_is_trained_on_the_shuffled_window_and_predicts_from_the_true_market(market, monkeypatch):
    composite = Composite(("lstm",), SETTINGS)
    components = control_components(composite.components, "shuffled", 5, SETTINGS)
    seen = {}
    monkeypatch.setattr(
        composite.components["lstm"], "train", lambda window, previous: seen.update(window=window)
    )
    monkeypatch.setattr(
        composite.components["lstm"],
        "predict",
        lambda active, pair, times, market: seen.update(market=market),
    )
    window = Window(0, int(times_of(market)[24 * 100]), market.pairs, market)
    components["lstm"].train(window, None)
    components["lstm"].predict(None, PAIRS[0], times_of(market), market)
    assert all(isinstance(pair, ShuffledPair) for pair in seen["window"].pairs.values())
    assert isinstance(seen["window"].market, ShuffledMarket) and seen["market"] is market
