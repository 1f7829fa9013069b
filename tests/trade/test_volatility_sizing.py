"""Volatility sizing: the documented multipliers (spec 003 section 4), and what they do to the risk."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.settings.improvements import VolatilitySizingSettings
from coordinator.settings.signals import RegimeSettings
from coordinator.settings.trade import DcaSettings, SizingSettings
from coordinator.trade.entries import entry_plan
from coordinator.trade.sizing import HIGHEST_RISK, plan_stake, risk_budget
from coordinator.trade.volatility_sizing import size_multiplier

REGIME = RegimeSettings()
VOLATILITY = {"low": 0.02, "normal": 0.04, "high": 0.08, "extreme": 0.15}
anything = st.one_of(st.floats(0, 1), st.just(float("nan")))


def one(volatility, rank=0.5, **settings):
    s = VolatilitySizingSettings(**settings)
    return float(size_multiplier(np.array([volatility]), np.array([rank]), REGIME, s)[0])


@pytest.mark.parametrize(
    ("level", "multiplier"), [("low", 1.2), ("normal", 1.0), ("high", 0.7), ("extreme", 0.5)]
)
def test_the_documented_multipliers(level, multiplier):
    """Spec 003, "Config Addition" of section 4: low 1.2, normal 1.0, high .7, extreme .5."""
    assert one(VOLATILITY[level]) == multiplier


@pytest.mark.parametrize(
    ("rank", "multiplier"), [(0.81, 0.8), (0.80, 1.0), (0.5, 1.0), (0.20, 1.0), (0.19, 1.2)]
)
def test_the_documented_fine_tuning(rank, multiplier):
    """Spec 003: ATR percentile > 80 takes .8, < 20 takes 1.2; use_atr_scaling is its switch."""
    assert one(VOLATILITY["normal"], rank) == pytest.approx(multiplier)
    assert one(VOLATILITY["normal"], rank, use_atr_scaling=False) == 1.0


def test_the_documented_cap():
    """Spec 003: min(adjusted, base x 1.5); 1.2 x 1.2 stays below it, larger settings do not pass it."""
    assert one(VOLATILITY["low"], 0.1) == pytest.approx(1.44)
    assert one(VOLATILITY["low"], 0.1, low=1.5) == 1.5
    assert VolatilitySizingSettings().mode == "off"


def test_levels_begin_where_the_regimes_do():
    assert one(0.0299999) == 1.2
    assert one(0.03) == 1.0
    assert one(0.06) == 0.7
    assert one(0.10) == 0.5


def test_unknown_is_the_base():
    assert one(np.nan, 0.1) == 1.0
    assert one(VOLATILITY["high"], np.nan) == 0.7


@given(volatility=anything, rank=anything)
def test_bounds(volatility, rank):
    assert 0.5 * 0.8 - 1e-12 <= one(volatility, rank) <= 1.5


@given(volatility=anything, rank=anything, share=st.floats(0.01, 1))
def test_gradual_trust_keeps_it_near_one(volatility, rank, share):
    assert 1 - share - 1e-12 <= one(volatility, rank, range=share) <= 1 + share + 1e-12


@given(volatility=st.floats(0, 0.3), more=st.floats(0, 0.3), rank=st.floats(0, 1), step=st.floats(0, 1))
def test_wilder_is_never_larger(volatility, more, rank, step):
    assert one(volatility + more, rank) <= one(volatility, rank)
    assert one(volatility, min(1, rank + step)) <= one(volatility, rank)


def loss_at_the_stop(total, plan, stop, leverage, filled):
    tranches = list(zip(plan.shares, plan.offsets, strict=True))[:filled]
    return sum(total * share * leverage * (stop - offset) for share, offset in tranches)


@given(
    multiplier=st.floats(0.4, 1.5),
    risk=st.floats(0.005, 0.015),
    confidence=st.floats(0, 1),
    stop=st.floats(0.005, 0.03),
    filled=st.integers(1, 4),
    leverage=st.floats(1, 20),
)
def test_the_risk_manager_has_the_last_word(multiplier, risk, confidence, stop, filled, leverage):
    """Whatever fills, a multiplier up to 1 keeps the budget, and none passes 1.5 % of the equity."""
    plan, sizing = entry_plan(confidence, stop, DcaSettings()), SizingSettings(risk_per_trade=risk)
    total = plan_stake(10_000, plan, stop, leverage, float("inf"), risk_budget(sizing, multiplier))
    loss = loss_at_the_stop(total, plan, stop, leverage, filled)
    bound = risk if multiplier <= 1 else HIGHEST_RISK
    assert loss <= 10_000 * bound * (1 + 1e-9)
    base = plan_stake(10_000, plan, stop, leverage, float("inf"), risk_budget(sizing))
    assert total == pytest.approx(base * min(multiplier, max(1.0, HIGHEST_RISK / risk)))


def test_the_stake_is_still_bounded_and_one_changes_no_bit():
    plan, sizing = entry_plan(0.7, 0.013, DcaSettings()), SizingSettings()
    assert plan_stake(10_000, plan, 0.013, 1.0, 2_500, risk_budget(sizing, 1.5)) == 2_500
    base = plan_stake(12_345.67, plan, 0.013, 3.0, 1e9, risk_budget(sizing))
    assert plan_stake(12_345.67, plan, 0.013, 3.0, 1e9, risk_budget(sizing, 1.0)) == base
