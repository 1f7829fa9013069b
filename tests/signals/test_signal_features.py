import numpy as np
import pandas as pd
import pytest

from coordinator.ledger.feature_store import FeatureSchema as StoredSchema
from coordinator.signals.candles import Candles
from coordinator.signals.cross_section import cross_features, cross_section
from coordinator.signals.feature_schema import FeatureSchema, align_columns
from coordinator.signals.features import FEATURES
from coordinator.signals.own_features import UNORIENTED
from coordinator.signals.signal_features import GROUPS, SIGNAL_SCHEMA, signal_features

NAMES = SIGNAL_SCHEMA.names
HOURS = {"1h": 1, "4h": 4, "1d": 24}
HISTORY = 999  # candles that a live bot has of each timeframe


def closed_until(frame, hours, end):
    """The candles of a frame that had closed by ``end``."""
    close = frame["date"].to_numpy(dtype="datetime64[s]") + np.timedelta64(hours, "h")
    return frame[close <= end].reset_index(drop=True)


def cut(frames, end, rows=None):
    """All pairs' frames as a bot sees them when the candle that closes at ``end`` has closed."""
    out = {}
    for pair, by_timeframe in frames.items():
        parts = {name: closed_until(frame, HOURS[name], end) for name, frame in by_timeframe.items()}
        out[pair] = {
            name: (part if rows is None else part.iloc[-rows:].reset_index(drop=True))
            for name, part in parts.items()
        }
    return {pair: parts for pair, parts in out.items() if len(parts["1h"])}


def features_at(view_of, frames, end, rows):
    """Features by pair and time of the signals of the last 20 candles of the frames as they are at ``end``."""
    views = {pair: view_of(parts) for pair, parts in cut(frames, end, rows).items()}
    found = signal_features(views)
    out = {}
    for pair, features in found.items():
        time = views[pair].candles.time[features.index]
        for at, row in zip(time.tolist(), features.values, strict=True):
            if at > end.astype("datetime64[s]").astype(np.int64) - 20 * 3600:
                out[pair, at] = row
    return out


def whole_by_key(views):
    return {
        (pair, int(at)): row
        for pair, features in signal_features(views).items()
        for at, row in zip(views[pair].candles.time[features.index], features.values, strict=True)
    }


def test_the_schema_names_every_column_once_and_hashes_as_the_ledger_does():
    assert len(NAMES) == len(set(NAMES)) == sum(len(group.names) for group in GROUPS.values())
    assert 45 <= len(NAMES) <= 100
    assert SIGNAL_SCHEMA.hash == StoredSchema(str(SIGNAL_SCHEMA.version), NAMES).hash
    assert SIGNAL_SCHEMA.hash != FeatureSchema(NAMES, SIGNAL_SCHEMA.version + 1).hash
    assert SIGNAL_SCHEMA.hash != FeatureSchema(NAMES[::-1], SIGNAL_SCHEMA.version).hash


def test_each_group_gives_exactly_its_names(views):
    from coordinator.signals.signal_features import Market

    view = views["AAA/USDT"]
    market = Market("AAA/USDT", views["BTC/USDT"], cross_section(views))
    for name, group in GROUPS.items():
        columns = group.compute(view, market)
        assert set(columns) == set(group.names), name
        assert {column.shape for column in columns.values()} == {view.index.shape}, name


def test_there_is_a_row_for_each_signal_and_it_is_complete_after_the_history(views):
    for pair, features in signal_features(views).items():
        view = views[pair]
        np.testing.assert_array_equal(features.index, np.flatnonzero(view.technical.signal))
        late = features.index > 168 * 24  # 168 closed days
        assert late.sum() > 50
        assert np.isfinite(features.values[late]).all(), pair
        assert np.abs(features.values[late]).max() <= 20.0
        if pair != "BTC/USDT":
            spread = features.values[late].std(axis=0)
            assert (spread > 0).all(), [NAMES[i] for i in np.flatnonzero(spread == 0)]


@pytest.mark.parametrize("step", [1300, 2222, 3333, 4747, 5999])
def test_a_live_frame_of_999_candles_gives_the_numbers_of_the_whole_history(
    market_frames, views, view_of, step
):
    end = market_frames["BTC/USDT"]["1h"]["date"].to_numpy(dtype="datetime64[s]")[step] + np.timedelta64(
        1, "h"
    )
    whole, live = whole_by_key(views), features_at(view_of, market_frames, end, HISTORY)
    assert live
    for key, row in live.items():
        np.testing.assert_allclose(row, whole[key], rtol=0, atol=1e-9, err_msg=str(key))


def test_a_live_frame_of_real_candles_gives_the_numbers_of_the_whole_history(market_data, view_of):
    frames = {}
    for pair in ("BTC", "DOGE", "SOL"):
        frames[f"{pair}/USDT"] = {}
        for name in HOURS:
            frame = pd.read_feather(market_data / f"{pair}_USDT-{name}.feather")
            frames[f"{pair}/USDT"][name] = frame[frame["date"] < pd.Timestamp("2022-07-01", tz="UTC")]
    whole = whole_by_key({pair: view_of(parts) for pair, parts in frames.items()})
    seen = 0
    for day in ("2020-03-13", "2021-02-01", "2021-05-20", "2022-06-15"):
        live = features_at(view_of, frames, np.datetime64(f"{day}T12:00:00"), HISTORY)
        for key, row in live.items():
            np.testing.assert_allclose(row, whole[key], rtol=0, atol=1e-9, err_msg=f"{day} {key}")
        seen += len(live)
    assert seen > 10


@pytest.mark.parametrize("seed", range(3))
def test_scrambling_the_future_changes_nothing_before_it(market_frames, make_higher, views, view_of, seed):
    rng = np.random.default_rng(seed)
    at = int(rng.integers(2000, 5500))
    end = market_frames["BTC/USDT"]["1h"]["date"].iloc[at]
    scrambled = {}
    for pair, frames in market_frames.items():
        frame = frames["1h"].copy()
        later = frame["date"] >= end
        factor = np.exp(rng.normal(0, 0.2, int(later.sum())))
        for column in ("open", "high", "low", "close"):
            frame.loc[later, column] = frame.loc[later, column].to_numpy() * factor
        frame.loc[later, "volume"] *= rng.lognormal(0, 2, int(later.sum()))
        scrambled[pair] = {"1h": frame, "4h": make_higher(frame, "4h"), "1d": make_higher(frame, "1d")}
    whole = whole_by_key(views)
    changed = whole_by_key({pair: view_of(frames) for pair, frames in scrambled.items()})
    limit = int(end.timestamp())
    before = {key for key in whole if key[1] < limit}
    assert before == {key for key in changed if key[1] < limit}
    assert len(before) > 100
    for key in before:
        np.testing.assert_array_equal(changed[key], whole[key], err_msg=str(key))
    assert any(
        not np.array_equal(changed[k], whole[k], equal_nan=True) for k in set(whole) & set(changed) - before
    )


def test_a_mirrored_market_turns_every_signal_round_and_keeps_the_oriented_features():
    """Long and short are one path: ranks and returns of a mirrored market are the same, seen from the signal."""

    class TimeframeView:
        def __init__(self, close, direction):
            n = len(close)
            self.candles = Candles(np.arange(n) * 3600, close, close, close, close, np.ones(n), 3600)
            self.index, self.direction = np.array([n - 1]), np.array([direction])
            log = np.log(close)
            gap = log - log.mean()
            self.features = {
                "trend_ma_gap": gap,
                "sma_168_gap": gap,
                "volume_ratio_week": np.zeros(n),
                "return_24": np.concatenate((np.full(24, np.nan), log[24:] - log[:-24])),
            }
            signal = np.zeros(n, dtype=np.int64)
            signal[-1] = direction
            self.technical = type("T", (), {"score": gap, "signal": signal})

    rng = np.random.default_rng(3)
    closes = {f"P{i}": np.exp(np.cumsum(rng.normal(0, 0.01, 300))) for i in range(4)}
    up = {pair: TimeframeView(close, 1) for pair, close in closes.items()}
    down = {pair: TimeframeView(1 / close, -1) for pair, close in closes.items()}
    one, other = (cross_features("P1", side["P1"], cross_section(side)) for side in (up, down))
    for name in one:
        np.testing.assert_allclose(other[name], one[name], atol=1e-9, err_msg=name)


def test_without_the_reference_its_columns_are_nan_and_the_others_stay(views):
    whole, without = signal_features(views), signal_features(views, reference=None)
    column = np.array([name in GROUPS["reference"].names for name in NAMES])
    for pair in views:
        assert np.isnan(without[pair].values[:, column]).all()
        np.testing.assert_array_equal(without[pair].values[:, ~column], whole[pair].values[:, ~column])
    gone = signal_features({pair: view for pair, view in views.items() if pair != "BTC/USDT"})
    assert np.isnan(gone["AAA/USDT"].values[:, column]).all()


def test_the_reference_is_fully_correlated_with_itself_and_no_stronger(views):
    features = signal_features(views)["BTC/USDT"]
    late = features.values[features.index > 200]
    assert late[:, NAMES.index("btc_correlation_60")] == pytest.approx(1.0)
    assert late[:, NAMES.index("relative_strength_24")] == pytest.approx(0.0)


@pytest.mark.parametrize("n", [20, 60])
def test_the_correlation_with_the_reference_is_that_of_the_last_returns(views, n):
    """Spec 003: over 20 and over 60 periods."""
    view, closes = views["AAA/USDT"], []
    for pair in ("AAA/USDT", "BTC/USDT"):
        own = views[pair].candles
        closes.append(pd.Series(np.log(own.close), index=own.time))
    returns = pd.concat(closes, axis=1).diff().dropna()
    column = signal_features(views)["AAA/USDT"].values[:, NAMES.index(f"btc_correlation_{n}")]
    rows = np.flatnonzero(view.index > 200)[::40]
    assert len(rows) > 3
    for row in rows:
        last = returns.loc[: view.candles.time[view.index[row]]].tail(n)
        assert column[row] == pytest.approx(last.corr().iloc[0, 1], abs=1e-9)


@pytest.mark.parametrize("n", [24, 168])
def test_relative_strength_is_the_return_beyond_the_references_in_own_deviations(views, n):
    view, column = views["AAA/USDT"], NAMES.index(f"relative_strength_{n}")
    values = signal_features(views)["AAA/USDT"].values[:, column]
    own, reference = (
        pd.Series(np.log(views[pair].candles.close), index=views[pair].candles.time)
        for pair in ("AAA/USDT", "BTC/USDT")
    )
    sigma = own.diff().rolling(72).std(ddof=0)
    ahead = (own.diff(n) - reference.reindex(own.index).diff(n)) / (sigma * n**0.5)
    rows = np.flatnonzero(view.index > 200)[::20]
    assert set(view.direction[rows]) == {-1, 1}
    expected = view.direction[rows] * ahead.to_numpy()[view.index[rows]]
    assert values[rows] == pytest.approx(expected, nan_ok=True)
    assert np.isfinite(expected).sum() > 5


def test_a_signal_says_its_reward_risk_and_where_the_atr_stands(views):
    view = views["AAA/USDT"]
    values = signal_features(views)["AAA/USDT"].values
    rows = np.flatnonzero(view.index > 200)[::40]
    assert len(rows) > 3
    for row in rows:
        at = view.index[row]
        expected = view.target_distance[at] / view.stop_distance[at]
        assert values[row, NAMES.index("reward_risk")] == pytest.approx(expected)
        distance = view.stop_distance[at] * view.candles.close[at] / view.technical.indicators.atr[at]
        assert values[row, NAMES.index("stop_atr")] == pytest.approx(distance)
        atr = view.technical.indicators.atr[at - 99 : at + 1] / view.candles.close[at - 99 : at + 1]
        rank = 2 * (atr < atr[-1]).sum() / 99 - 1  # among the last hundred, -1..1
        assert values[row, NAMES.index("atr_percentile")] == pytest.approx(rank, abs=0.03)


def test_a_pair_alone_has_no_ranks_and_any_order_of_pairs_gives_the_same(views):
    alone = signal_features({"AAA/USDT": views["AAA/USDT"]})["AAA/USDT"].values
    assert np.isnan(alone[:, NAMES.index("rank_return_24")]).all()
    turned = signal_features(dict(reversed(views.items())))
    for pair, features in signal_features(views).items():
        np.testing.assert_array_equal(turned[pair].values, features.values)
    assert signal_features({}) == {}


def test_higher_timeframes_may_be_missing(market_frames, view_of):
    frames = {pair: {"1h": parts["1h"]} for pair, parts in market_frames.items()}
    empty = market_frames["BTC/USDT"]["4h"].iloc[:0]
    views = {pair: view_of({**parts, "4h": empty, "1d": empty}) for pair, parts in frames.items()}
    values = signal_features(views)["AAA/USDT"].values
    columns = [NAMES.index(name) for name in GROUPS["higher"].names]
    assert np.isnan(values[:, columns]).all()


def test_what_says_how_much_and_not_which_way_is_not_turned_round():
    how_much = {"adx_14", "atr_percentile", "volatility_ratio", "volatility_day", "bollinger_width", "range"}
    assert {*how_much, "volume_ratio", "volume_ratio_week", "hour_sine", "hour_cosine"} == UNORIENTED
    assert set(FEATURES) > UNORIENTED


def test_the_candle_features_are_the_31_oriented_by_the_signal(views):
    view = views["AAA/USDT"]
    values = signal_features(views)["AAA/USDT"].values
    for name in FEATURES:
        sign = 1 if name in UNORIENTED else view.direction
        np.testing.assert_array_equal(values[:, NAMES.index(name)], view.features[name][view.index] * sign)


def test_crowding_counts_the_signals_of_the_last_day(views):
    view = views["AAA/USDT"]
    values = signal_features(views)["AAA/USDT"].values
    row = len(view.index) - 1
    at, d = view.candles.time[view.index[row]], view.direction[row]

    def count(hours, direction):
        return sum(
            (
                (v.candles.time > at - hours * 3600)
                & (v.candles.time <= at)
                & (v.technical.signal == direction)
            ).sum()
            for v in views.values()
        )

    assert values[row, NAMES.index("crowd_now")] == pytest.approx(count(1, d) / 3)
    assert values[row, NAMES.index("crowd_same")] == pytest.approx(count(24, d) / 3)
    assert values[row, NAMES.index("crowd_opposite")] == pytest.approx(count(24, -d) / 3)


def test_columns_are_aligned_by_name():
    have, want = FeatureSchema(("a", "b", "c"), 1), FeatureSchema(("c", "x", "a"), 2)
    out = align_columns(np.array([[1.0, 2.0, 3.0]]), have, want)
    np.testing.assert_array_equal(out, [[3.0, np.nan, 1.0]])
