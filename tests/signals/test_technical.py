import numpy as np
import pandas as pd
import pytest
import talib

from coordinator.settings import Settings
from coordinator.settings.signals import BaselineSettings
from coordinator.signals.candles import Candles
from coordinator.signals.regime import LEVELS, REGIMES, STATES, compute_regime
from coordinator.signals.series import changed
from coordinator.signals.tactics import TACTICS
from coordinator.signals.technical import VOTE_WEIGHTS, compute_technical

S = BaselineSettings()


def trend(step: float, n: int = 400, noise: float = 0.0005) -> Candles:
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(np.full(n, step) + rng.normal(0, noise, n)))
    opened = np.concatenate(([100.0], close[:-1]))
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2023-01-01", periods=n, freq="1h", tz="UTC"),
            "open": opened,
            "high": np.maximum(opened, close) * 1.001,
            "low": np.minimum(opened, close) * 0.999,
            "close": close,
            "volume": np.full(n, 10.0),
        }
    )
    return Candles.from_frame(frame, "1h")


def mirrored(candles: Candles) -> Candles:
    """The same moves upside down: prices inverted around 100."""
    flip = 1e4
    return Candles(
        candles.time,
        flip / candles.open,
        flip / candles.low,
        flip / candles.high,
        flip / candles.close,
        candles.volume,
        candles.seconds,
    )


def test_a_steady_rise_is_long_and_a_steady_fall_short():
    up, down = compute_technical(trend(0.002), S), compute_technical(trend(-0.002), S)
    for technical, direction in ((up, 1), (down, -1)):  # MACD's sign is noise in a steady move
        assert (technical.direction[150:] == direction).mean() > 0.1
        assert not (technical.direction[150:] == -direction).any()
    assert (up.tactics["trend_following"].direction[150:] == 1).all()


def test_each_indicator_votes_as_it_reads(candles):
    """The seven of spec 000 and 001 by TA-Lib from the candles; the score is their weighted mean."""
    assert list(VOTE_WEIGHTS.values()) == [0.20, 0.15, 0.15, 0.10, 0.15, 0.10, 0.15]
    technical, c = compute_technical(candles, S), candles
    upper, _, lower = talib.BBANDS(c.close, 20, 2.0, 2.0)
    strong = talib.ADX(c.high, c.low, c.close, 14) >= 25
    plus, minus = (talib.PLUS_DI(c.high, c.low, c.close, 14), talib.MINUS_DI(c.high, c.low, c.close, 14))
    busy = c.volume >= 1.5 * talib.SMA(c.volume, 20)
    beyond = np.zeros(len(c))
    for period, clearance in ((20, 0.005), (55, 0.01)):
        high, low = (
            np.r_[np.nan, found[:-1]] for found in (talib.MAX(c.high, period), talib.MIN(c.low, period))
        )
        beyond += 0.5 * (c.close > high * (1 + clearance)) - 0.5 * (c.close < low * (1 - clearance))
    expected = {
        "EMA crossover": np.sign(talib.EMA(c.close, 12) - talib.EMA(c.close, 26)),
        "MACD": np.sign(talib.MACD(c.close, 12, 26, 9)[2]),
        "RSI": np.clip((talib.RSI(c.close, 14) - 50) / 20, -1, 1),
        "Bollinger": np.clip(2 * (c.close - lower) / (upper - lower) - 1, -1, 1),
        "ADX/DI": strong * np.sign(plus - minus),
        "volume": busy * np.sign(c.close - c.open),
        "breakout": beyond,
    }
    assert list(expected) == list(VOTE_WEIGHTS)
    for name, votes, own in zip(expected, technical.votes, expected.values(), strict=True):
        np.testing.assert_allclose(votes[100:], own[100:], atol=1e-9, err_msg=name)
        assert {-1, 1} <= set(np.sign(own[100:])), name
    mean = sum(VOTE_WEIGHTS[name] * own for name, own in expected.items())
    np.testing.assert_allclose(technical.score[100:], mean[100:], atol=1e-9)


def test_long_and_short_are_one_path(candles):
    """Upside-down candles give the opposite signals (up to log against simple prices in the bands)."""
    one, two = compute_technical(candles, S), compute_technical(mirrored(candles), S)
    both = (one.signal != 0) & (two.signal != 0)
    assert both.sum() > 100
    assert (one.signal[both] == -two.signal[both]).mean() > 0.99
    assert (one.direction == -two.direction).mean() > 0.95
    for technical, read in ((one, candles), (two, mirrored(candles))):
        above = read.close > technical.indicators.trend_ma
        np.testing.assert_array_equal(technical.direction > 0, (technical.score >= 0.45) & above)
        below = read.close < technical.indicators.trend_ma
        np.testing.assert_array_equal(technical.direction < 0, (technical.score <= -0.45) & below)
        took_up = np.r_[False, (technical.direction[1:] != technical.direction[:-1])]
        np.testing.assert_array_equal(technical.triggers[0], took_up & (technical.direction != 0))


def test_a_signal_is_an_event_with_a_trigger(candles):
    technical = compute_technical(candles, S)
    at = np.flatnonzero(technical.signal)
    assert len(at) > 50
    assert technical.triggers[:, at].any(axis=0).all()
    quiet = ~technical.triggers.any(axis=0)
    assert (technical.signal[quiet] == 0).all()


def test_confidence_is_bounded_and_zero_without_a_signal(candles):
    technical = compute_technical(candles, S)
    some = technical.signal != 0
    assert ((technical.signal_confidence[some] > 0) & (technical.signal_confidence[some] <= 1)).all()
    assert (technical.signal_confidence[~some] == 0).all()
    assert sum(VOTE_WEIGHTS.values()) == pytest.approx(1)


def test_reasons_name_the_trigger_and_agreeing_indicators(candles):
    technical = compute_technical(candles, S)
    names = ("baseline turned", *(name.replace("_", " ") for name in TACTICS))
    for index in np.flatnonzero(technical.signal)[:200]:
        triggers, _, agreeing = technical.reasons(index).partition(" (")
        views = (technical.direction, *(tactic.direction for tactic in technical.tactics.values()))
        assert set(triggers.split(" + ")) == {
            name
            for name, fired, view in zip(names, technical.triggers[:, index], views, strict=True)
            if fired and view[index] == technical.signal[index]
        }
        own = (technical.confidence, *(tactic.confidence for tactic in technical.tactics.values()))
        best = max(
            confidence[index]
            for fired, view, confidence in zip(technical.triggers[:, index], views, own, strict=True)
            if fired and view[index] == technical.signal[index]
        )
        agreement = 0.5 + 0.5 * technical.score[index] * technical.signal[index]
        assert technical.signal_confidence[index] == pytest.approx(0.6 * agreement + 0.4 * best)
        said = {name for name in agreeing.removesuffix(")").split(", ") if name}
        votes = zip(VOTE_WEIGHTS, technical.votes[:, index] * technical.signal[index], strict=True)
        assert said == {name for name, vote in votes if vote > 0.25}


def test_eligibility_keeps_longs_above_and_shorts_below_the_trend_ma(candles):
    technical = compute_technical(candles, S)
    ma = technical.indicators.trend_ma
    assert (candles.close > ma)[technical.direction > 0].all()
    assert (candles.close < ma)[technical.direction < 0].all()


@pytest.mark.parametrize("tactic", TACTICS)
def test_each_tactic_fires_both_ways_and_only_with_confidence(make_walk, tactic):
    walks = [Candles.from_frame(make_walk(seed, 3000), "1h") for seed in (1, 2, 3)]
    views = [compute_technical(walk, S).tactics[tactic] for walk in walks]
    direction = np.concatenate([view.direction for view in views])
    confidence = np.concatenate([view.confidence for view in views])
    assert {-1, 0, 1} == set(np.unique(direction))
    assert (confidence[direction != 0] >= 0.5).all()
    assert (confidence[direction == 0] == 0).all()


def test_mean_reversion_only_in_ranges_and_breakout_only_with_clearance(candles):
    technical = compute_technical(candles, S)
    x = technical.indicators
    reversion, breakout = (technical.tactics[name].direction for name in ("mean_reversion", "breakout"))
    assert (x.adx[reversion != 0] < S.adx_trend).all()
    assert (x.rsi[reversion > 0] <= 30).all()
    assert (x.rsi[reversion < 0] >= 70).all()
    begins = changed(breakout)
    long, short = begins & (breakout > 0), begins & (breakout < 0)
    assert long.any()
    assert short.any()
    assert (candles.close[long] > 1.005 * x.fast_high[long]).all()
    assert (candles.close[short] < 0.995 * x.fast_low[short]).all()
    assert (candles.close[breakout > 0] >= x.exit_low[breakout > 0]).all()
    assert (candles.close[breakout < 0] <= x.exit_high[breakout < 0]).all()


@pytest.mark.parametrize("n", [0, 1, 2, 25, 60])
def test_too_few_candles_are_no_error_and_no_signal(walk, n):
    technical = compute_technical(Candles.from_frame(walk.iloc[:n], "1h"), S)
    assert len(technical.signal) == n
    assert (technical.signal[:50] == 0).all()


def test_changed_marks_the_taking_up_only():
    assert changed(np.array([1, 1, 0, 0, 1, -1, -1, 0])).tolist() == [
        False,
        False,
        False,
        False,
        True,
        True,
        False,
        False,
    ]


def test_the_fifteen_states():
    regimes, levels = ("bull", "bear", "neutral", "high_vol", "low_vol"), ("low", "medium", "high")
    assert list(STATES) == [f"{regime}_{level}" for regime in regimes for level in levels]
    assert len(STATES) == 15


def test_regimes_and_levels():
    settings = Settings().regime
    rise = compute_regime(trend(0.002), settings)
    assert REGIMES[rise.regime[-1]] == "bull"
    fall = compute_regime(trend(-0.002), settings)
    assert REGIMES[fall.regime[-1]] == "bear"
    turns = np.resize([1.0, -1.0], 400)
    for last, regime in ((0.002, "neutral"), (0.006, "high_vol"), (0.0005, "low_vol")):
        size = np.r_[np.full(376, 0.002), np.full(24, last)]  # the last day's beside the week's
        assert REGIMES[compute_regime(trend(size * turns, noise=0.0), settings).regime[-1]] == regime
    for noise, level in ((0.003, "low"), (0.009, "medium"), (0.02, "high")):
        flat = compute_regime(trend(0.0, noise=noise), settings)
        known = np.isfinite(flat.volatility)
        by_hand = np.digitize(
            flat.volatility[known], [0.03, 0.06]
        )  # spec 004: from 3 % medium, from 6 % high
        np.testing.assert_array_equal(flat.level[known], by_hand)
        share = (flat.level[100:] == LEVELS.index(level)).mean()
        assert share > 0.8, (noise, level, share)
        assert flat.volatility[-1] == pytest.approx(noise * np.sqrt(24), rel=0.5)
