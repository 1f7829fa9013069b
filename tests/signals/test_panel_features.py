"""Features of pairs by days: causal, the same in a bot's frames, named as the schema says."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skew

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


def own_by_definition(hourly, daily):
    """A pair's own columns by pandas: distances in its deviation of a day, ratios as logarithms."""
    price, volume = np.log(daily["close"]), np.log(daily["volume"] + 1)
    change, sigma = price.diff(), price.diff().rolling(30).std(ddof=0)
    hours = np.log(hourly["close"]).diff()
    day_of = hourly["date"].dt.floor("D")

    def realised(part):
        return (part**2).groupby(day_of).sum().to_numpy() ** 0.5

    whole, falling = pd.Series(realised(hours)), pd.Series(realised(hours.clip(upper=0)))
    return {
        **{f"return_{n}": price.diff(n) / (sigma * n**0.5) for n in (1, 3, 7, 14, 30, 60, 90)},
        **{
            f"average_{n}": (price - price.rolling(n).mean()) / (sigma * n**0.5)
            for n in (10, 20, 50, 100, 200)
        },
        **{f"high_{n}": (price - np.log(daily["high"].rolling(n).max())) / sigma for n in (10, 20, 55)},
        **{f"low_{n}": (price - np.log(daily["low"].rolling(n).min())) / sigma for n in (10, 20, 55)},
        "sigma": np.log(sigma),
        "sigma_7_30": np.log(whole.rolling(7).mean() / whole.rolling(30).mean()),
        "sigma_30_90": np.log(sigma / change.rolling(90).std(ddof=0)),
        "skew": change.rolling(30).apply(skew),
        "falling": (falling / whole).rolling(7).mean(),
        "volume_1": volume - volume.rolling(30).mean(),
        "volume_7": volume.rolling(7).mean() - volume.rolling(60).mean(),
    }


def test_every_column_is_what_its_name_says(frames):
    made, names, day = panel_features(panel(frames), "BTC/USDT"), PANEL_SCHEMA.names, 260
    own = {
        pair: {name: float(values[day - 150 if pair == "BBB/USDT" else day]) for name, values in x.items()}
        for pair, x in ((pair, own_by_definition(*parts)) for pair, parts in frames.items())
    }
    for pair in PAIRS:
        row = dict(zip(names, made[pair][day - 150 if pair == "BBB/USDT" else day].tolist(), strict=True))
        known = {name: value for name, value in own[pair].items() if np.isfinite(value)}
        assert {name: row[name] for name in known} == pytest.approx(known, abs=1e-9)
        assert all(np.isnan(row[name]) for name in set(own[pair]) - set(known))
        for name in ("return_7", "return_30", "return_90", "average_50", "sigma"):
            others = [own[other][name] for other in PAIRS]
            assert row[f"rank_{name}"] == sorted(others).index(own[pair][name]) / 2
        for name in ("return_7", "return_30", "return_90", "average_50", "average_200", "sigma", "falling"):
            assert row[f"btc_{name}"] == pytest.approx(own["BTC/USDT"][name])
        above = [own[other]["average_50"] > 0 for other in PAIRS]
        assert row["breadth"] == pytest.approx(sum(above) / 3)
    assert len(names) == len(set(names)) == len(own["BTC/USDT"]) + 5 + 7 + 1


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
