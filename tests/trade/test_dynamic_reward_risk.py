"""Dynamic reward:risk: the documented numbers (spec 003 section 1, DESIGN 4.6) and what must always hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.settings.improvements import DynamicRewardRiskSettings
from coordinator.settings.trade import CostSettings, TargetSettings
from coordinator.signals.regime import LEVELS
from coordinator.trade.dynamic_reward_risk import (
    dynamic_reward_risk,
    session_factor,
    trend_factor,
    volatility_factor,
)
from coordinator.trade.reward_risk import target_distance

SETTINGS = DynamicRewardRiskSettings()
UNKNOWN = np.array([np.nan])
unit = st.floats(-1, 1)


def one(v=np.nan, t=np.nan, s=np.nan, base=2.5, **settings):
    parts = (np.array([float(x)]) for x in (v, t, s))
    return float(dynamic_reward_risk(base, *parts, DynamicRewardRiskSettings(**settings))[0])


def test_the_documented_defaults():
    """Spec 003, "Config Addition" of section 1: off, 1.5, 4.0 and the weights .4, .4, .2; base 2.5."""
    assert SETTINGS.mode == "off"
    assert (SETTINGS.minimum, SETTINGS.maximum) == (1.5, 4.0)
    weights = (SETTINGS.volatility_weight, SETTINGS.trend_weight, SETTINGS.session_weight)
    assert weights == (0.4, 0.4, 0.2)
    assert TargetSettings().reward_risk == 2.5


@pytest.mark.parametrize(("level", "percentile", "sign"), [("high", 0.90, -1), ("low", 0.10, 1)])
def test_the_documented_tests(level, percentile, sign):
    """Spec 003, test_dynamic_rr: high volatility at percentile 90 below 2.5, low at percentile 10 above it."""
    v = volatility_factor(np.array([LEVELS.index(level)]), np.array([percentile]))
    value = float(dynamic_reward_risk(2.5, v, UNKNOWN, UNKNOWN, SETTINGS)[0])
    assert sign * (value - 2.5) > 0
    assert value == pytest.approx(2.5 * (1 + 0.4 * sign * 0.9))


@pytest.mark.parametrize(
    ("v", "t", "s", "value"),
    [
        (0.5, 0, 0, 2.5 * 1.2),
        (0, -0.5, 0, 2.5 * 0.8),
        (0, 0, 1, 2.5 * 1.2),
        (0.5, -0.5, 0.5, 2.5 * 1.2 * 0.8 * 1.1),
        (1, 1, 1, 4.0),
        (-1, -1, -1, 1.5),
    ],
)
def test_the_formula_and_its_bounds(v, t, s, value):
    """DESIGN 4.6: base x (1 + .4 v)(1 + .4 t)(1 + .2 s), clamped to 1.5..4.0."""
    assert one(v, t, s) == pytest.approx(value)


def test_targets_are_grossed_up_for_costs_as_before():
    """Spec 003: cost factor 1.00165 whatever the reward:risk."""
    stop, direction = np.array([0.02, 0.02]), np.array([1, -1])
    long, short = target_distance(stop, direction, TargetSettings(), CostSettings(), np.array([3.0, 3.0]))
    assert 100 * (1 + long) == pytest.approx(106 * 1.00165)
    assert 100 * (1 - short) == pytest.approx(94 / 1.00165)


def test_the_base_as_each_signals_own_is_the_fixed_one_to_the_bit():
    stop, direction = np.linspace(0.005, 0.03, 50), np.where(np.arange(50) % 2, 1, -1)
    fixed = target_distance(stop, direction, TargetSettings(), CostSettings())
    own = target_distance(stop, direction, TargetSettings(), CostSettings(), np.full(50, 2.5))
    np.testing.assert_array_equal(fixed, own)


@given(base=st.floats(1, 4))
def test_with_nothing_known_the_base_to_the_bit(base):
    assert one(base=base) == base


@given(v=unit, t=unit, s=unit, base=st.floats(1.5, 4))
def test_always_within_the_bounds(v, t, s, base):
    assert 1.5 <= one(v, t, s, base) <= 4.0


def test_a_base_beyond_the_bounds_stays_where_it_is():
    assert [one(base=base) for base in (1.2, 5.0)] == [1.2, 5.0]
    assert (one(-1, -1, -1, base=1.2), one(1, 1, 1, base=5.0)) == (1.2, 5.0)
    assert (one(1, 1, 1, base=1.4), one(-1, -1, -1, base=5.0)) == (pytest.approx(1.4 * 1.4 * 1.4 * 1.2), 1.5)


def test_a_trend_of_the_signals_way_and_more_volume_than_usual_are_positive():
    direction, adx = np.array([1, -1, 1, -1]), np.array([25.0, 25.0, 60.0, 60.0])
    up, down = np.full(4, 30.0), np.full(4, 10.0)
    np.testing.assert_allclose(trend_factor(direction, adx, up, down, 50), [0.5, -0.5, 1.0, -1.0])
    activity = np.array([0.1, 0.5, 1.0, 2**0.5, 2.0, 9.0])
    np.testing.assert_allclose(session_factor(activity), [-1.0, -1.0, 0.0, 0.5, 1.0, 1.0], atol=1e-12)


@given(v=unit, t=unit, s=unit, share=st.floats(0.01, 1), base=st.floats(1, 4))
def test_gradual_trust_keeps_it_near_the_base(v, t, s, share, base):
    value = one(v, t, s, base, range=share)
    assert base * (1 - share) - 1e-12 <= value <= base * (1 + share) + 1e-12


def test_the_documented_first_step_of_trust():
    """Spec 003, "Gradual Trust Building": +-10 % to begin with."""
    assert one(1, 1, 1, range=0.1) == pytest.approx(2.75)
    assert one(-1, -1, -1, range=0.1) == pytest.approx(2.25)


@given(low=unit, high=unit, others=st.tuples(unit, unit), place=st.integers(0, 2))
def test_each_condition_only_ever_raises_it(low, high, others, place):
    low, high = sorted((low, high))
    one_, two = ([*others[:place], x, *others[place:]] for x in (low, high))
    assert one(*one_) <= one(*two)


@given(rank=st.floats(0, 1), step=st.floats(0, 1))
def test_wilder_is_never_better(rank, step):
    ranks = np.array([rank, min(1.0, rank + step)])
    for level in range(3):
        calm, wild = volatility_factor(np.full(2, level), ranks)
        assert 1 >= calm >= wild >= -1
    by_level = volatility_factor(np.arange(3), np.full(3, rank))
    assert (np.diff(by_level) < 0).all()


@given(adx=st.floats(0, 100), plus=st.floats(0, 100), minus=st.floats(0, 100))
def test_long_and_short_mirror_each_other(adx, plus, minus):
    def factor(direction, up, down):
        return trend_factor(np.array([direction]), np.array([adx]), np.array([up]), np.array([down]), 50)[0]

    assert factor(1, plus, minus) == factor(-1, minus, plus) == -factor(-1, plus, minus)
    assert -1 <= factor(1, plus, minus) <= 1


def test_unknown_conditions_stay_unknown():
    assert np.isnan(volatility_factor(np.array([0]), UNKNOWN)).all()
    assert np.isnan(trend_factor(np.array([1]), UNKNOWN, UNKNOWN, UNKNOWN, 50)).all()
    assert np.isnan(session_factor(UNKNOWN)).all()


@given(activity=st.floats(1e-6, 1e6))
def test_half_the_volume_is_as_far_as_twice(activity):
    one_, two = session_factor(np.array([activity, 1 / activity]))
    assert one_ == pytest.approx(-two, abs=1e-9)
