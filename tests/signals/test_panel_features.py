"""Features of pairs by days: causal, the same in a bot's frames, named as the schema says."""

import numpy as np
import pandas as pd
import pytest

from coordinator.signals.candles import Candles
from coordinator.signals.panel_features import PANEL_SCHEMA, PanelPair, panel_features

PAIRS = ("BTC/USDT", "AAA/USDT", "BBB/USDT")


@pytest.fixture(scope="module")
def frames(make_walk, make_higher):
    out = {}
    for number, pair in enumerate(PAIRS):
        hourly = make_walk(20 + number, 24 * 420)
        if number == 2:
            hourly = hourly.iloc[24 * 150 :].reset_index(drop=True)
        out[pair] = hourly, make_higher(hourly, "1d")
    return out


def panel(frames):
    return {
        pair: PanelPair(Candles.from_frame(daily, "1d"), Candles.from_frame(hourly, "1h"))
        for pair, (hourly, daily) in frames.items()
    }


def test_columns_are_the_schemas_and_finite_once_there_is_history(frames):
    made = panel_features(panel(frames), "BTC/USDT")
    for pair, values in made.items():
        assert values.shape == (len(frames[pair][1]), len(PANEL_SCHEMA))
        assert np.isfinite(values[200:]).all(), [
            name
            for name, known in zip(PANEL_SCHEMA.names, np.isfinite(values[200:]).all(axis=0), strict=True)
            if not known
        ]
        assert np.abs(values[np.isfinite(values)]).max() <= 20


def test_by_hand(frames):
    made, (hourly, daily) = panel_features(panel(frames), "BTC/USDT"), frames["AAA/USDT"]
    column = {name: made["AAA/USDT"][:, i] for i, name in enumerate(PANEL_SCHEMA.names)}
    price = np.log(daily["close"].to_numpy())
    sigma = pd.Series(price).diff().rolling(30).std(ddof=0).to_numpy()
    day = 300
    assert column["return_7"][day] == pytest.approx((price[day] - price[day - 7]) / (sigma[day] * 7**0.5))
    assert column["high_20"][day] == pytest.approx(
        (price[day] - np.log(daily["high"].iloc[day - 19 : day + 1].max())) / sigma[day]
    )
    returns = np.log(hourly["close"]).diff()
    squares = [(returns.iloc[24 * d : 24 * (d + 1)] ** 2).sum() ** 0.5 for d in range(day - 29, day + 1)]
    assert column["sigma_7_30"][day] == pytest.approx(np.log(np.mean(squares[-7:]) / np.mean(squares)))
    btc = np.log(frames["BTC/USDT"][1]["close"].to_numpy())
    assert column["btc_return_7"][day] == pytest.approx(
        (btc[day] - btc[day - 7]) / (pd.Series(btc).diff().rolling(30).std(ddof=0).iloc[day] * 7**0.5)
    )
    week = {
        pair: made[pair][day if pair != "BBB/USDT" else day - 150, PANEL_SCHEMA.names.index("return_7")]
        for pair in PAIRS
    }
    assert column["rank_return_7"][day] == sorted(week.values()).index(week["AAA/USDT"]) / 2


def test_the_future_changes_nothing_and_the_hunter_can_fail(frames):
    whole, cut = panel_features(panel(frames), "BTC/USDT"), 300
    date = frames["BTC/USDT"][1]["date"].iloc[cut]

    def scrambled(begin):
        out = {}
        for pair, parts in frames.items():
            later = [frame.copy() for frame in parts]
            for frame in later:
                rows = frame["date"] >= begin
                frame.loc[rows, ["open", "high", "low", "close"]] *= np.random.default_rng(1).uniform(0.5, 2)
            out[pair] = tuple(later)
        return panel_features(panel(out), "BTC/USDT")

    def equal(other):
        return all(
            np.array_equal(other[pair][known], whole[pair][known], equal_nan=True)
            for pair in PAIRS
            if (known := (frames[pair][1]["date"] < date).to_numpy()).any()
        )

    assert equal(scrambled(date))
    assert not equal(scrambled(date - pd.Timedelta(days=1)))


def test_a_bots_frames_give_the_same_numbers(frames):
    whole = panel_features(panel(frames), "BTC/USDT")
    last = frames["BTC/USDT"][0]["date"].iloc[-1]
    short = {
        pair: (hourly[hourly["date"] > last - pd.Timedelta(hours=999)].reset_index(drop=True), daily)
        for pair, (hourly, daily) in frames.items()
    }
    live = panel_features(panel(short), "BTC/USDT")
    for pair in PAIRS:
        np.testing.assert_allclose(live[pair][-1], whole[pair][-1], rtol=0, atol=1e-9)


def test_a_pair_alone_and_one_without_history(frames):
    alone = panel_features(panel({"AAA/USDT": frames["AAA/USDT"]}), "BTC/USDT")["AAA/USDT"]
    names = PANEL_SCHEMA.names
    assert np.isnan(alone[:, names.index("rank_return_7")]).all()
    assert np.isnan(alone[:, names.index("btc_return_7")]).all()
    assert np.isfinite(alone[300:, names.index("return_90")]).all()
    hourly, daily = frames["AAA/USDT"]
    young = panel_features(panel({"AAA/USDT": (hourly.iloc[:24], daily.iloc[:1])}), None)["AAA/USDT"]
    assert young.shape == (1, len(PANEL_SCHEMA))
    assert not np.isfinite(young[:, : names.index("breadth")]).any()
    assert panel_features({}, None) == {}
