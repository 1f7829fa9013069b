"""Whole plans, whatever fills: the risk at the stop, the tranches' sum, what cancels them; stops never loosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.settings.trade import DcaSettings, SizingSettings, StopSettings
from coordinator.trade.entries import entry_plan, tranches_cancelled
from coordinator.trade.sizing import (
    HIGHEST_RISK,
    first_stake,
    plan_risk,
    plan_stake,
    risk_budget,
    tranche_stake,
)
from coordinator.trade.stops import stop_rate

SPACINGS = st.sampled_from(["fixed", "atr"])


@given(
    confidence=st.floats(0, 1),
    stop=st.floats(0.005, 0.03),
    spacing=SPACINGS,
    atr=st.floats(0.0005, 0.05) | st.just(float("nan")),
)
def test_the_tranches_sum_to_the_plan_and_come_before_the_stop(confidence, stop, spacing, atr):
    plan = entry_plan(confidence, stop, DcaSettings(spacing_mode=spacing), atr)
    assert sum(plan.shares) == pytest.approx(1.0)
    assert plan.offsets[0] == 0.0
    assert list(plan.offsets) == sorted(set(plan.offsets))
    assert max(plan.offsets) < stop


@given(
    equity=st.floats(100, 1e7),
    confidence=st.floats(0, 1),
    stop=st.floats(0.005, 0.03),
    atr=st.floats(0.0005, 0.05),
    multiplier=st.floats(0.1, 5),
    kelly=st.floats(0, 1) | st.just(float("nan")),
    open_risk=st.floats(0, 0.2),
    leverage=st.floats(1, 20),
    limit=st.floats(1, 1e8),
    slips=st.lists(st.floats(0, 0.003), min_size=4, max_size=4),
    filled=st.integers(1, 4),
    minimum=st.floats(0, 50),
)
def test_whatever_fills_the_loss_at_the_stop_is_within_the_budget(
    equity, confidence, stop, atr, multiplier, kelly, open_risk, leverage, limit, slips, filled, minimum
):
    """Tranches fill at their offset or beyond it (nearer the stop), some or all of them."""
    sizing = SizingSettings(kelly_mode="on")
    plan = entry_plan(confidence, stop, DcaSettings(spacing_mode="atr"), atr)
    budget = risk_budget(sizing, multiplier, kelly, open_risk)
    assert 0.0 <= budget <= HIGHEST_RISK == 0.015  # spec 002
    assert budget + open_risk <= max(sizing.max_open_risk, open_risk) + 1e-12

    def total_of(entries):
        return plan_stake(equity, entries, stop, leverage, limit, budget)

    first, entered = first_stake(plan, minimum, total_of)
    total = total_of(entered)
    assert total <= limit
    assert plan_risk(total, entered, stop, leverage) <= equity * budget * (1 + 1e-9)
    loss = first * leverage * stop
    for i in range(1, min(filled, len(entered.shares))):
        stake = tranche_stake(total, entered, i, minimum)
        loss += stake * leverage * max(0.0, stop - entered.offsets[i] - slips[i])
    assert loss <= equity * budget * (1 + 1e-9)


@given(
    best=st.lists(st.floats(0.9, 1.2), min_size=1, max_size=30),
    side=st.sampled_from([1, -1]),
    stop=st.floats(0.005, 0.03),
    multiplier=st.floats(0.5, 2),
    average=st.floats(0.98, 1.0),
)
def test_stops_never_loosen(best, side, stop, multiplier, average):
    """Through any path of best prices, as the callbacks apply them: a new stop counts only where it is better."""
    settings, held = StopSettings(), 1 - side * stop
    for rate in best:
        here = 1 + side * (rate - 1)
        new = stop_rate(1.0, 1 + side * (average - 1), here, side, stop, settings, multiplier)
        assert side * (new - (1 - side * stop)) >= 0  # never beyond the planned one
        better = side * (new - held) > 0
        before, held = held, new if better else held
        assert side * (held - before) >= 0


@pytest.mark.parametrize(
    ("candles", "turned", "exits", "why"),
    [
        (23, False, 0, None),
        (24, False, 0, "expired"),
        (0, True, 0, "the baseline turned"),
        (0, False, 1, "reduced"),
    ],
)
def test_what_cancels_waiting_tranches(candles, turned, exits, why):
    assert tranches_cancelled(candles, turned, exits, DcaSettings()) == why


def test_a_plan_by_atr_and_without_one():
    settings = DcaSettings(spacing_mode="atr", atr_spacing=0.5)
    assert entry_plan(0.8, 0.03, settings, 0.02).offsets == (0.0, 0.01)
    assert entry_plan(0.8, 0.03, settings).offsets == (0.0, 0.005)  # unknown: the fixed spacing
    assert entry_plan(0.8, 0.03, DcaSettings(enabled=False)).shares == (1.0,)
