"""No number at a candle may depend on anything later: cut the candles anywhere, all before the cut stays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.features import FEATURES, compute_features
from coordinator.signals.fusion import fuse
from coordinator.signals.regime import compute_regime
from coordinator.signals.technical import compute_technical
from coordinator.trade.stops import initial_stop_distance

SETTINGS = Settings()


def everything(frame, make_higher):
    """Every number the signals house gives for a pair's hourly candles, by name."""
    base = Candles.from_frame(frame, "1h")
    technical = compute_technical(base, SETTINGS.baseline)
    views = {"1h": (base, technical)}
    end = base.time[-1] + base.seconds
    for name in ("4h", "1d"):
        higher = Candles.from_frame(make_higher(frame, name), name)
        whole = higher.time + higher.seconds <= end  # an exchange serves closed candles only
        higher = Candles(
            higher.time[whole],
            *(getattr(higher, c)[whole] for c in ("open", "high", "low", "close", "volume")),
            seconds=higher.seconds,
        )
        views[name] = (higher, compute_technical(higher, SETTINGS.baseline))
    fusion = fuse(base, views, SETTINGS.fusion)
    regime = compute_regime(base, SETTINGS.regime)
    return {
        **compute_features(base),
        "score": technical.score,
        "signal": technical.signal,
        "signal confidence": technical.signal_confidence,
        "fusion score": fusion.score,
        "fusion confidence": fusion.confidence,
        "regime": regime.state,
        "volatility": regime.volatility,
        "stop": initial_stop_distance(base, technical.signal, SETTINGS.stops),
    }


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(300, 2999))
def test_truncation_changes_nothing_before_the_cut(walk, make_higher, cut):
    whole, part = everything(walk, make_higher), everything(walk.iloc[:cut], make_higher)
    for name, values in part.items():
        np.testing.assert_array_equal(values, whole[name][:cut], err_msg=name)


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(300, 2900), seed=st.integers(0, 2**31))
def test_scrambling_the_future_changes_nothing_before_it(walk, make_higher, cut, seed):
    scrambled = walk.copy()
    rng = np.random.default_rng(seed)
    factor = np.exp(rng.normal(0, 0.2, len(walk) - cut))
    for column in ("open", "high", "low", "close"):
        scrambled.loc[cut:, column] = walk[column].iloc[cut:].to_numpy() * factor
    # the 4h and 1d candles that contain the cut close after it, so they must not be seen before it
    whole, changed = everything(walk, make_higher), everything(scrambled, make_higher)
    for name, values in changed.items():
        np.testing.assert_array_equal(values[:cut], whole[name][:cut], err_msg=name)


def test_the_test_can_fail(walk, make_higher):
    """A leak of one candle is caught."""
    whole = everything(walk, make_higher)
    part = everything(walk.iloc[:1000], make_higher)
    leaking = np.roll(whole["return_1"], -1)
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(np.roll(part["return_1"], -1), leaking[:1000])


def test_there_are_31_features_finite_after_their_history(candles):
    features = compute_features(candles)
    assert tuple(features) == FEATURES
    assert len(FEATURES) == len(set(FEATURES)) == 31
    matrix = np.column_stack(list(features.values()))
    assert np.isfinite(matrix[200:]).all()
    assert np.abs(matrix[200:]).max() <= 10.0
    assert not np.isfinite(matrix[:167]).all(axis=1).any()  # the longest window is a week of 168
    for name in (
        "rsi_14",
        "rsi_6",
        "stochastic_k",
        "mfi_14",
        "atr_percentile",
        "channel_20",
        "hour_sine",
        "body",
    ):
        assert 0.5 < np.nanmax(np.abs(features[name])) <= 1 + 1e-9, name


def test_features_do_not_know_the_price_level(walk):
    """Pair-neutral: the same moves at another price and in other coins give the same features."""
    other = walk.assign(
        **{c: walk[c] * 1000 for c in ("open", "high", "low", "close")}, volume=walk["volume"] / 50
    )
    one, two = (compute_features(Candles.from_frame(frame, "1h")) for frame in (walk, other))
    for name in FEATURES:
        np.testing.assert_allclose(two[name], one[name], atol=1e-6, err_msg=name)


def test_no_two_features_are_the_same(candles):
    matrix = np.column_stack(list(compute_features(candles).values()))[200:]
    correlation = np.corrcoef(matrix.T) - np.eye(31)
    assert np.abs(correlation).max() < 0.99
