"""What a signal says beside its candle: of the reference pair, of all pairs, of its own baseline and stop."""

import numpy as np
import pandas as pd
import pytest

from coordinator.signals.cross_section import cross_features, cross_section
from coordinator.signals.own_features import signal_own_features
from coordinator.signals.reference_features import reference_features
from coordinator.signals.regime import REGIMES


def test_the_state_of_the_reference_is_its_own_seen_from_the_signal(views):
    view, reference = views["AAA/USDT"], views["BTC/USDT"]
    made = reference_features(view, reference)
    at = np.searchsorted(reference.candles.time, view.candles.time[view.index])
    for name in ("return_4", "return_24", "return_72", "trend_ma_gap", "sma_168_gap"):
        np.testing.assert_array_equal(made[f"btc_{name}"], view.direction * reference.features[name][at])
    for name in ("adx_14", "volatility_ratio", "volatility_day"):  # how much, not which way
        np.testing.assert_array_equal(made[f"btc_{name}"], reference.features[name][at])
    np.testing.assert_array_equal(made["btc_score"], view.direction * reference.technical.score[at])
    assert {-1, 1} == set(view.direction)


@pytest.mark.parametrize("n", [24, 168])
def test_relative_strength_is_the_lead_over_the_reference_in_own_deviations(views, n):
    view, reference = views["AAA/USDT"], views["BTC/USDT"]
    own, other = (pd.Series(np.log(v.candles.close), index=v.candles.time) for v in (view, reference))
    lead = own.diff(n) - other.diff(n).reindex(own.index)
    strength = (lead / (own.diff().rolling(72).std(ddof=0) * n**0.5)).to_numpy()[view.index] * view.direction
    known = view.index > 168
    assert known.sum() > 50
    made = reference_features(view, reference)[f"relative_strength_{n}"]
    np.testing.assert_allclose(made[known], strength[known], atol=1e-9)


def test_ranks_breadth_and_dispersion_are_taken_over_the_pairs_present(views):
    """The third pair begins later: before, two are ranked; a rank runs from -1, the lowest, to 1."""
    section, pairs = cross_section(views), sorted(views)
    frames = {
        pair: pd.DataFrame(
            {
                **{f"rank_return_{n}": np.log(v.candles.close) for n in (4, 24, 168)},
                "rank_volatility": np.log(v.candles.close),
                "rank_trend_gap": v.features["trend_ma_gap"],
                "rank_volume": v.features["volume_ratio_week"],
                "above_168": np.sign(v.features["sma_168_gap"]),
                "return_24": v.features["return_24"],
                "score": v.technical.score,
            },
            index=v.candles.time,
        )
        for pair, v in views.items()
    }
    for frame in frames.values():
        for n in (4, 24, 168):
            frame[f"rank_return_{n}"] = frame[f"rank_return_{n}"].diff(n)
        frame["rank_volatility"] = frame["rank_volatility"].diff().rolling(24).std(ddof=0)
    beside = {name: pd.DataFrame({p: frames[p][name] for p in pairs}) for name in frames[pairs[0]]}
    assert list(section.column) == pairs
    late = slice(800, None)
    for name, ranks in section.ranks.items():
        table = beside[name]
        place = 2 * (table.rank(axis=1) - 1).div(table.count(axis=1) - 1, axis=0) - 1
        np.testing.assert_allclose(ranks[late], place[late], atol=1e-12, err_msg=name)
    expected = {
        "breadth_trend": np.sign(beside["rank_trend_gap"]).mean(axis=1),
        "breadth_168": beside["above_168"].mean(axis=1),
        "breadth_score": beside["score"].mean(axis=1),
        "market_return_24": beside["return_24"].mean(axis=1),
        "dispersion_24": np.log(beside["rank_return_24"].std(axis=1, ddof=0) + 1e-3),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(section.market[name][late], values[late], atol=1e-9, err_msg=name)
    assert np.isnan(section.market["dispersion_24"][:24]).all()
    assert np.isnan(section.market["breadth_trend"][:49]).all()  # no average of 50 candles yet
    assert np.isfinite(section.market["breadth_trend"][49:]).all()


def test_what_all_pairs_share_is_seen_from_the_signal(views):
    section, view = cross_section(views), views["BBB/USDT"]
    made = cross_features("BBB/USDT", view, section)
    at = np.searchsorted(section.time, view.candles.time[view.index])
    for name in ("breadth_trend", "breadth_168", "breadth_score", "market_return_24"):
        np.testing.assert_array_equal(made[name], view.direction * section.market[name][at])
    np.testing.assert_array_equal(made["dispersion_24"], section.market["dispersion_24"][at])
    for name, sign in (("rank_return_24", view.direction), ("rank_volatility", 1), ("rank_volume", 1)):
        np.testing.assert_array_equal(made[name], sign * section.ranks[name][at, section.column["BBB/USDT"]])


def test_a_signal_says_what_the_baseline_the_tactics_and_the_fusion_say(views):
    view = views["AAA/USDT"]
    at, d, technical, made = view.index, view.direction, view.technical, signal_own_features(view)
    np.testing.assert_array_equal(made["direction"], d)
    np.testing.assert_array_equal(made["confidence"], technical.signal_confidence[at])
    np.testing.assert_array_equal(made["score"], d * technical.score[at])
    np.testing.assert_array_equal(made["baseline_direction"], d * technical.direction[at])
    np.testing.assert_array_equal(made["triggers"], technical.triggers[:, at].sum(axis=0))
    for name, tactic in technical.tactics.items():
        said = d * tactic.direction[at] * tactic.confidence[at]
        np.testing.assert_array_equal(made[f"view_{name}"], said)
    np.testing.assert_array_equal(made["fusion_score"], d * view.fusion.score[at])
    np.testing.assert_array_equal(made["fusion_confidence"], view.fusion.confidence[at])


def test_a_signal_says_its_regime_its_stop_and_its_weekday(views):
    view = views["AAA/USDT"]
    at, d, made = view.index, view.direction, signal_own_features(view)
    regime = np.array(REGIMES)[view.regime.regime[at]]
    assert {"bull", "bear", "high_vol", "low_vol"} <= set(regime)
    trend, surge = {"bull": 1, "bear": -1}, {"high_vol": 1, "low_vol": -1}
    assert made["regime_trend"].tolist() == [d[i] * trend.get(name, 0) for i, name in enumerate(regime)]
    assert made["regime_surge"].tolist() == [surge.get(name, 0) for name in regime]
    np.testing.assert_array_equal(made["volatility_level"], view.regime.level[at])
    known = at > 20
    stop, atr = view.stop_distance[at], view.technical.indicators.atr[at] / view.candles.close[at]
    np.testing.assert_allclose(made["stop_atr"][known], (stop / atr)[known])
    np.testing.assert_allclose(made["stop_ratio"], 100 * stop)
    weekday = pd.to_datetime(view.candles.time[at], unit="s").day_of_week.to_numpy()
    angle = 2 * np.pi * ((weekday - 3) % 7) / 7  # Monday is 0, and the epoch began on a Thursday
    np.testing.assert_allclose(made["weekday_sine"], np.sin(angle), atol=1e-12)
    np.testing.assert_allclose(made["weekday_cosine"], np.cos(angle), atol=1e-12)
