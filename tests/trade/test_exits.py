"""Adaptive exits, market path and Kelly: the documented numbers, bounds, causality."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.settings import load_settings
from coordinator.settings.exits import ExitsSettings
from coordinator.settings.trade import SizingSettings
from coordinator.signals.candles import Candles
from coordinator.trade.exits import (
    HeldPosition,
    exit_signals,
    profit_targets,
    scale_out_due,
    scale_out_stake,
    shown_reason,
)
from coordinator.trade.kelly import kelly_risk
from coordinator.trade.market import market_path, target_factor, volatility_multiplier
from coordinator.trade.sizing import risk_budget
from coordinator.trade.stops import trailing_distance

RULES = ("momentum_reversal", "low_volume", "stagnation", "trend_change", "scale_out")
S = ExitsSettings.model_validate({name: {"mode": "on"} for name in RULES})
FOLLOWING = ExitsSettings.model_validate({"target_following": {"mode": "on"}})


@pytest.mark.parametrize(
    ("volatility", "targets"),
    [  # the formula holds where the document's worked examples do not (DESIGN.md 4.7)
        (0.02, (0.019, 0.038, 0.057)),
        (0.03, (0.02, 0.04, 0.06)),
        (0.08, (0.025, 0.05, 0.075)),
    ],
)
def test_the_documented_targets(volatility, targets):
    (multiplier,) = volatility_multiplier(np.array([volatility]), S)
    assert profit_targets(multiplier, S) == pytest.approx(targets)


def test_every_stop_shows_its_documented_confidence():
    assert shown_reason("trailing_stop_loss") == "trailing_stop_loss (90%)"
    for hard in ("stop_loss", "stoploss_on_exchange", "liquidation"):
        assert shown_reason(hard) == f"{hard} (100%)"


@given(st.floats(0, 3))
def test_the_multiplier_is_bounded(volatility):
    assert 0.5 <= volatility_multiplier(np.array([volatility]), S)[0] <= 2.0


def test_the_bounds_are_half_and_twice_and_what_is_documented_can_be_changed():
    wild, steep = np.array([0.5]), S.model_copy(update={"volatility_slope": 50.0})
    assert volatility_multiplier(wild, S)[0] == 2.0
    assert volatility_multiplier(np.array([0.0]), steep)[0] == 0.5
    tiers = {"trailing_distances": [0.03, 0.025, 0.02, 0.01], "trailing_profits": [0.02, 0.04, 0.07]}
    own = load_settings({"exits": {"targets": [0.015, 0.03, 0.05]}, "stops": tiers})
    assert profit_targets(1.0, own.exits) == pytest.approx((0.015, 0.03, 0.05))
    assert [trailing_distance(profit, own.stops) for profit in (0.065, 0.07)] == [0.02, 0.01]


def path(n=40, settings=S, **columns):
    close = columns.pop("close", np.full(n, 100.0))
    candles = Candles(np.arange(n) * 3600, close, close, close, close, np.ones(n), 3600)
    flat = np.zeros(n)
    return market_path(
        candles,
        columns.get("volatility", np.full(n, 0.03)),
        columns.get("volume", np.ones(n)),
        columns.get("trend", (flat, flat, flat)),
        columns.get("direction", flat.astype(np.int64)),
        columns.get("warning", flat.astype(np.int64)),
        settings,
    )


def rules(side, rate, row, market, candles=20):
    return [x.reason for x in exit_signals(HeldPosition(side, 100.0, candles, 0), rate, market, row, S)]


@pytest.mark.parametrize("side", [1, -1])
def test_each_rule_speaks_both_ways_and_the_surest_first(side):
    close = np.concatenate((np.full(20, 100.0 + 5 * side), np.full(20, 100.0 + 3 * side)))
    market = path(close=close, volume=np.where(np.arange(40) == 25, 0.4, 1.0))
    assert rules(side, 100 + 3 * side, 25, market) == ["momentum reversal (85%)", "low volume (75%)"]
    assert rules(side, 100 + 3 * side, 19, market, candles=8) == []
    assert rules(side, 100 + 3 * side, 35, market) == ["stagnation (70%)"]
    assert rules(side, 100 + 2.0 * side, 25, market) == []  # at the first target and not above it
    assert rules(-side, 100 + 3 * side, 25, market) == []  # a loss


@pytest.mark.parametrize("side", [1, -1])
def test_each_rule_begins_at_its_documented_number(side):
    """Spec 004: momentum beyond .015 over 10 candles, less than 1 % in 8 candles, volume below .5."""
    later = np.arange(40) >= 25
    assert {getattr(ExitsSettings(), name).mode for name in RULES} == {"off"}

    def spoke(rule, profit=3.0, **columns):
        market = path(**columns)
        found = (rules(side, 100 + profit * side, row, market) for row in range(40))
        return [row for row, reasons in enumerate(found) if rule in reasons]

    for against, expected in ((0.0151, list(range(25, 35))), (0.0149, [])):
        close = (100.0 + 5 * side) * np.where(later, 1 - side * against, 1.0)
        assert spoke("momentum reversal (85%)", close=close) == expected
    for moved, pause in ((0.99, range(0)), (1.0, range(25, 33))):
        close = 100.0 + side * moved * later
        expected = [row for row in range(8, 40) if row not in pause]
        assert spoke("stagnation (70%)", profit=0.0, close=close) == expected
    for ratio, expected in ((0.499, list(range(25, 40))), (0.5, [])):
        assert spoke("low volume (75%)", volume=np.where(later, ratio, 1.0)) == expected


@pytest.mark.parametrize("side", [1, -1])
def test_lower_timeframes_that_turn_first_are_a_reason_to_leave_a_profit(side):
    market = path(warning=np.where(np.arange(40) == 20, -side, 0))
    assert rules(side, 100 + 0.5 * side, 20, market, candles=3) == ["trend change (60%)"]
    assert rules(side, 100 + 0.5 * side, 21, market, candles=3) == []
    assert rules(side, 100.0, 20, market, candles=3) == []  # nor where nothing is won
    assert rules(side, 100 - 0.5 * side, 20, market, candles=3) == []  # a loss has its stop
    assert rules(-side, 100 - 0.5 * side, 20, market, candles=3) == []  # the warning is of the other way


@pytest.mark.parametrize("name", ["momentum_reversal", "low_volume", "stagnation", "trend_change"])
def test_a_rule_that_is_off_is_silent_and_the_others_speak(name):
    close = np.concatenate((np.full(20, 105.0), np.full(20, 103.0)))
    once = np.arange(40) == 31
    market = path(close=close, volume=np.where(once, 0.4, 1.0), warning=np.where(once, -1, 0))
    spoke = []
    for mode in ("on", "off"):
        s = S.model_copy(update={name: getattr(S, name).model_copy(update={"mode": mode})})
        held = HeldPosition(1, 100.0, 20, 0)
        spoke.append([{x.rule for x in exit_signals(held, 103.0, market, row, s)} for row in (25, 31, 35)])
    assert name in set().union(*spoke[0])
    assert [rules - {name} for rules in spoke[0]] == spoke[1]


def test_without_history_no_rule_speaks():
    market = path(close=np.linspace(90, 110, 40), volatility=np.full(40, np.nan), volume=np.full(40, np.nan))
    assert [rules(side, 100 + 5 * side, row, market, candles=99) for side in (1, -1) for row in range(5)] == [
        []
    ] * 10


@given(
    profit=st.floats(-0.3, 0.3),
    multiplier=st.floats(0.5, 2),
    done=st.integers(0, 3),
    side=st.sampled_from([1, -1]),
)
def test_scale_outs_are_due_above_their_target_and_twice_at_most(profit, multiplier, done, side):
    due = scale_out_due(HeldPosition(side, 100.0, 1, done), 100 * (1 + side * profit), multiplier, S)
    if done >= 2 or profit < S.targets[1 + done] * multiplier - 1e-6:
        assert not due
    elif profit > S.targets[1 + done] * multiplier + 1e-6:
        assert due


@given(
    stake=st.floats(0.1, 1e6),
    gain=st.floats(-0.5, 1),
    minimum=st.floats(0, 1e4),
    share=st.floats(0.25, 0.5),
)
def test_scale_outs_never_leave_dust(stake, gain, minimum, share):
    settings = ExitsSettings.model_validate({"scale_out": {"mode": "on", "share": share}})
    taken = scale_out_stake(stake, stake * (1 + gain), minimum, settings)
    assert taken in (0.0, stake * share)
    if taken:
        for part in (share, 1 - share):
            assert part * stake * (1 + gain) >= minimum * (1 - 1e-12)


def test_a_path_never_knows_the_future():
    rng = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 200)))
    columns = {
        "volatility": rng.uniform(0, 0.1, 200),
        "volume": rng.uniform(0, 2, 200),
        "trend": (rng.uniform(0, 60, 200), rng.uniform(0, 40, 200), rng.uniform(0, 40, 200)),
        "direction": rng.integers(-1, 2, 200),
        "warning": rng.integers(-1, 2, 200),
    }
    whole = path(200, FOLLOWING, close=close, **columns)
    cut = {k: tuple(x[:120] for x in v) if k == "trend" else v[:120] for k, v in columns.items()}
    part = path(120, FOLLOWING, close=close[:120], **cut)
    for name in (
        "multiplier",
        "momentum",
        "volume_ratio",
        "last_long",
        "last_short",
        "long_factor",
        "short_factor",
    ):
        np.testing.assert_array_equal(getattr(whole, name)[:120], getattr(part, name))


@pytest.mark.parametrize("gap", [(), (50, 51, 52)])
def test_a_path_finds_its_candles_with_gaps_too(gap):
    market = path(100)
    kept = np.setdiff1d(np.arange(100), gap)
    holed = type(market)(**{**vars(market), "time": market.time[kept], "close": market.close[kept]})
    for hour in (0, 49, 50, 53, 99, 150):
        at_or_before = int(np.searchsorted(holed.time, hour * 3600, side="right")) - 1
        assert holed.at(hour * 3600) == at_or_before
    assert holed.at(-3600) == -1


@given(
    momentum=st.floats(-1, 1),
    adx=st.floats(0, 100) | st.just(np.nan),
    plus=st.floats(0, 60),
    minus=st.floats(0, 60),
)
def test_targets_move_by_a_quarter_at_most_and_mirror(momentum, adx, plus, minus):
    columns = [np.array([x]) for x in (momentum, adx, plus, minus)]
    (long,), (short,) = (target_factor(side, *columns, S) for side in (1, -1))
    assert 0.75 <= long <= 1.25
    assert long + short == pytest.approx(2.0)


def test_momentum_and_trend_each_move_a_target_by_half_of_the_quarter():
    momentum, adx = np.array([0.03, 0.0, 0.03, -0.015]), np.array([0.0, 50.0, 50.0, 0.0])
    plus, minus = np.full(4, 30.0), np.full(4, 10.0)
    found = target_factor(1, momentum, adx, plus, minus, S)
    np.testing.assert_allclose(found, [1.125, 1.125, 1.25, 0.9375])


def test_a_path_has_the_factors_of_both_sides_where_targets_follow():
    close = 100 * 1.01 ** np.arange(40)
    trend = np.full(40, 50.0), np.full(40, 10.0), np.full(40, 30.0)  # a strong trend downwards
    market = path(close=close, settings=FOLLOWING, trend=trend)
    period = FOLLOWING.momentum_reversal.period
    assert 1.01**period - 1 > FOLLOWING.target_following.full_momentum
    np.testing.assert_allclose(market.long_factor[period:], 1.0)  # a rise against it: they cancel
    np.testing.assert_allclose(market.short_factor[period:], 1.0)
    np.testing.assert_allclose(market.long_factor[:period], 0.875)  # before, the trend alone
    np.testing.assert_allclose(market.short_factor[:period], 1.125)
    assert path().long_factor is path().short_factor is None


@given(p=st.floats(0.01, 0.99), r=st.floats(1, 4), loss=st.floats(0.05, 1.5), fraction=st.floats(0, 1))
def test_kelly_is_the_bet_that_grows_fastest(p, r, loss, fraction):
    settings = SizingSettings(kelly_fraction=1.0, kelly_minimum=0.0)
    expected = p * r - (1 - p) * loss
    (best,) = kelly_risk(np.array([p]), np.array([expected]), r, settings)
    if expected <= 0:
        assert best == pytest.approx(0.0, abs=1e-9)
        return

    def growth(f):
        return p * np.log1p(f * r) + (1 - p) * np.log1p(-f * loss)

    other = fraction * min(0.999 / loss, 2 * best)
    assert growth(min(best, 0.999999 / loss)) >= growth(other) - 1e-9


def test_kelly_is_half_and_off_unless_it_is_set():
    """p .6 at 2:1 against a loss of 1 R: the whole bet is .4, half of it .2."""
    settings = SizingSettings()
    (half,) = kelly_risk(np.array([0.6]), np.array([0.8]), 2.0, settings)
    assert half == pytest.approx(0.2)
    assert settings.kelly_mode == "off"
    low = 0.006
    assert risk_budget(settings, kelly=low) == settings.risk_per_trade
    assert risk_budget(SizingSettings(kelly_mode="on"), kelly=low) == low
    assert risk_budget(SizingSettings(kelly_mode="on"), kelly=0.012) == 0.01  # a cap, never a raise


def test_kelly_is_bounded_below_and_silent_without_calibration():
    found = kelly_risk(np.array([0.1, 0.5, np.nan]), np.array([-0.4, np.nan, 0.1]), 2.5, SizingSettings())
    np.testing.assert_array_equal(found, [0.005, np.nan, np.nan])
