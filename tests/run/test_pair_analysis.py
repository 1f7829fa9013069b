"""A pair's analysis on a slow clock, and the regime gate's say."""

import numpy as np
import pytest

from coordinator.decision.decisions import AGAINST_MARKET, AVOIDED_STATE, REARMED_SHADOW
from coordinator.errors import CoordinatorError
from coordinator.run.pair_analysis import analyse
from coordinator.settings import load_settings
from coordinator.signals.candles import Candles
from coordinator.signals.fusion import fuse
from coordinator.signals.regime import LEVELS, STATES, compute_regime
from coordinator.signals.regime_gate import market_direction
from coordinator.signals.technical import compute_technical

PLAN = {"targets": {"enabled": False, "horizon": 10}, "stops": {"basis": "price", "hard_limit": 0.5}}


@pytest.fixture(scope="module")
def market(make_walk, make_higher):
    out = {}
    for seed, pair in enumerate(("BTC/USDT", "ETH/USDT")):
        hourly = make_walk(70 + seed, 24 * 250)
        out[pair] = {
            "1h": Candles.from_frame(hourly, "1h"),
            **{name: Candles.from_frame(make_higher(hourly, name), name) for name in ("4h", "1d")},
        }
    return out


def settings_with(**sections):
    baseline = {"clock": "1d", "fast_channel": 10, "exit_channel": 5, **sections.pop("baseline", {})}
    return load_settings({**PLAN, "baseline": baseline, **sections})


def analysis_of(market, settings, ml=False):
    pair = market["ETH/USDT"]
    higher = {name: pair[name] for name in ("4h", "1d")}
    return analyse("ETH/USDT", pair["1h"], higher, settings, ml, market["BTC/USDT"])


def test_signals_stops_and_indicators_are_the_clocks(market):
    settings = settings_with()
    analysis, pair = analysis_of(market, settings), market["ETH/USDT"]
    technical = compute_technical(pair["1h"], settings.baseline, pair["1d"])
    np.testing.assert_array_equal(analysis.index, np.flatnonzero(technical.signal))
    assert len(analysis.index) > 10
    late = analysis.index > 24 * 40
    atr = technical.indicators.atr[analysis.index] / pair["1h"].close[analysis.index]
    np.testing.assert_allclose(analysis.stop_distance[late], np.clip(1.5 * atr, 0.005, 0.5)[late])
    assert np.isinf(analysis.target_distance).all()
    assert not analysis.barred.any()
    own = analysis.votes["technical"]
    np.testing.assert_array_equal(own.direction, technical.signal[analysis.index])
    np.testing.assert_array_equal(own.confidence, technical.signal_confidence[analysis.index])
    regime = compute_regime(pair["1h"], settings.regime)
    np.testing.assert_array_equal(analysis.regime.regime, regime.regime)
    np.testing.assert_array_equal(analysis.regime.volatility, regime.volatility)


def test_the_fusion_keeps_its_three_timeframes_whatever_the_clock(market):
    slow = analysis_of(market, settings_with(), ml=True)
    fast = analysis_of(market, settings_with(baseline={"clock": "1h"}), ml=True)
    np.testing.assert_array_equal(slow.fusion.score, fast.fusion.score)
    settings, frames = settings_with(baseline={"clock": "1h"}), market["ETH/USDT"]
    assert list(frames) == ["1h", "4h", "1d"]
    views = {name: (frame, compute_technical(frame, settings.baseline)) for name, frame in frames.items()}
    expected = fuse(frames["1h"], views, settings.fusion)
    np.testing.assert_array_equal(fast.fusion.score, expected.score)
    known = np.isfinite(expected.score[fast.index])
    assert known.sum() > 100
    for part in ("direction", "confidence", "score"):
        voted = getattr(fast.votes["fusion"], part)
        np.testing.assert_array_equal(voted[known], getattr(expected, part)[fast.index][known])


def test_the_gate_bars_what_goes_against_the_market(market):
    settings = settings_with(regime={"gate": "on", "gate_average": 120})
    analysis, btc = analysis_of(market, settings), market["BTC/USDT"]
    points = market_direction(analysis.candles, btc["1h"], btc["1d"], 120)[analysis.index]
    np.testing.assert_array_equal(analysis.barred == AGAINST_MARKET, points != analysis.direction)
    assert 0 < (analysis.barred > 0).sum() < len(analysis.index)
    assert (
        analysis.barred[points == 0] == AGAINST_MARKET
    ).all()  # a market that is not known lets nothing in
    assert (points == 0).any()


def test_in_shadow_mode_the_gate_is_recorded_and_bars_nothing(market):
    on, shadow = (
        analysis_of(market, settings_with(regime={"gate": mode, "gate_average": 50}))
        for mode in ("on", "shadow")
    )
    assert not shadow.barred.any()
    np.testing.assert_array_equal(
        shadow.improvements["regime_gate"].adjusted, on.improvements["regime_gate"].adjusted
    )
    assert (shadow.improvements["regime_gate"].effective == 1).all()
    assert "regime_gate" not in analysis_of(market, settings_with()).improvements


def test_re_armed_signals_in_shadow_mode_are_there_and_barred(market):
    on, shadow, off = (
        analysis_of(market, settings_with(baseline={"rearm": mode})) for mode in ("on", "shadow", "off")
    )
    np.testing.assert_array_equal(on.index, shadow.index)
    assert len(on.index) > 2 * len(off.index)
    np.testing.assert_array_equal(shadow.barred == REARMED_SHADOW, shadow.technical.rearmed[shadow.index])
    assert not on.barred.any()
    assert set(off.index) <= set(on.index)


@pytest.mark.parametrize("avoid", [["bear"], ["high", "low_vol"], ["bull_low"]])
def test_states_that_are_avoided_bar_their_signals_and_no_other(market, avoid):
    analysis = analysis_of(market, settings_with(regime={"avoid": avoid}))
    state, level = (values[analysis.index] for values in (analysis.regime.state, analysis.regime.level))
    names = np.array(STATES, dtype=object)[state], np.array(LEVELS, dtype=object)[level]
    bad = np.array(
        [bool({name, name.rsplit("_", 1)[0], word} & set(avoid)) for name, word in zip(*names, strict=True)]
    )
    np.testing.assert_array_equal(analysis.barred == AVOIDED_STATE, bad)
    assert 0 < bad.sum() < len(bad)


def test_avoided_states_in_shadow_mode_are_recorded_and_unknown_ones_refused(market):
    shadow = analysis_of(market, settings_with(regime={"avoid": ["bear"], "avoid_mode": "shadow"}))
    assert not shadow.barred.any() and (shadow.improvements["regime_avoid"].adjusted == 0).any()
    assert "regime_avoid" not in analysis_of(market, settings_with()).improvements
    with pytest.raises(CoordinatorError, match=r"avoid must name bull, bear, .* not beer"):
        settings_with(regime={"avoid": ["beer"]})
