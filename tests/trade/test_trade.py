"""Plans, sizes, stops and targets: the documented numbers and what must always hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.settings.trade import CostSettings, DcaSettings, SizingSettings, StopSettings, TargetSettings
from coordinator.signals.candles import Candles
from coordinator.trade.entries import AT_ONCE, entry_plan
from coordinator.trade.leverage import bearable_leverage
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.sizing import first_stake, plan_stake, risk_budget, tranche_stake
from coordinator.trade.stops import initial_stop_distance, stop_rate, trailing_distance

DCA, STOPS, SIZING = DcaSettings(), StopSettings(), SizingSettings()


@pytest.mark.parametrize(
    ("confidence", "count"), [(1.0, 2), (0.75, 2), (0.7499, 3), (0.65, 3), (0.6499, 4), (0.0, 4)]
)
def test_tranches_by_confidence(confidence, count):
    assert len(entry_plan(confidence, 0.03, DCA).shares) == count


def test_the_documented_three_tranches():
    """Spec 000: 40 % at 40,000, 35 % at 39,800, 25 % at 39,600."""
    plan = entry_plan(0.72, 0.03, DCA)
    assert plan.shares == (0.40, 0.35, 0.25)
    assert [40_000 * (1 - offset) for offset in plan.offsets] == pytest.approx([40_000, 39_800, 39_600])
    assert not plan.due(1, 40_000, 39_801, 1)
    assert plan.due(1, 40_000, 39_800, 1)
    assert plan.due(2, 40_000, 39_600, 1)
    assert not plan.due(3, 40_000, 30_000, 1)  # nothing left
    assert not plan.due(0, 40_000, 30_000, 1)  # the first is the entry's
    assert plan.due(1, 40_000, 40_200, -1)  # a short averages upwards
    assert not plan.due(1, 40_000, 39_000, -1)


@given(confidence=st.floats(0, 1), stop=st.floats(0.005, 0.03))
def test_the_tranches_are_the_plan_and_come_before_the_stop(confidence, stop):
    plan = entry_plan(confidence, stop, DCA)
    assert sum(plan.shares) == pytest.approx(1)
    assert plan.offsets[0] == 0
    assert all(offset < stop for offset in plan.offsets)
    assert list(plan.offsets) == sorted(plan.offsets)


@given(
    equity=st.floats(100, 1e7),
    confidence=st.floats(0, 1),
    stop=st.floats(0.005, 0.03),
    filled=st.integers(1, 4),
    leverage=st.floats(1, 20),
)
def test_the_loss_at_the_stop_never_exceeds_the_budget_whatever_fills(
    equity, confidence, stop, filled, leverage
):
    plan = entry_plan(confidence, stop, DCA)
    total = plan_stake(equity, plan, stop, leverage, float("inf"), risk_budget(SIZING))
    loss = sum(
        total * share * leverage * (stop - offset)
        for share, offset in list(zip(plan.shares, plan.offsets, strict=True))[:filled]
    )
    assert loss <= equity * SIZING.risk_per_trade * (1 + 1e-9)
    if filled >= len(plan.shares):
        assert loss == pytest.approx(equity * 0.01)  # the whole plan's is the budget


@given(wanted=st.integers(1, 20), stop=st.floats(0.005, 0.5))
def test_a_planned_stop_lies_within_four_fifths_of_the_way_to_the_liquidation(wanted, stop):
    """A position of leverage L is liquidated after a move of nearly 1 / L."""
    leverage = bearable_leverage(wanted, stop)
    assert 1 <= leverage <= wanted
    assert leverage == 1 or stop <= 0.8 / leverage * (1 + 1e-6)
    assert leverage == wanted or stop > 0.8 / (leverage + 1) * (1 - 1e-6)  # and no less than it can bear


def test_the_stake_is_bounded_by_what_freqtrade_proposes():
    assert plan_stake(10_000, entry_plan(0.8, 0.01, DCA), 0.01, 1.0, 2500, risk_budget(SIZING)) == 2500


def test_small_plans_are_entered_at_once_or_not_at_all():
    plan = entry_plan(0.72, 0.03, DCA)
    assert tranche_stake(100, plan, 0, 10) == pytest.approx(40)
    assert tranche_stake(20, plan, 1, 10) == 0
    assert first_stake(plan, 10, lambda entries: 100.0) == (pytest.approx(40), plan)
    assert first_stake(plan, 10, lambda entries: 20.0) == (20.0, AT_ONCE)  # 40 % would be below the minimum
    assert first_stake(plan, 10, lambda entries: 9.0)[0] == 0


def test_stop_below_support_and_above_resistance():
    close = np.full(50, 100.0)  # ATR .4, support 99.9, resistance 100.3
    candles = Candles(np.arange(50, dtype=np.int64), close, close + 0.3, close - 0.1, close, close, 1)
    long = initial_stop_distance(candles, np.ones(50, dtype=np.int64), STOPS)
    short = initial_stop_distance(candles, -np.ones(50, dtype=np.int64), STOPS)
    assert long[-1] == pytest.approx(0.001 + 1.5 * 0.004)
    assert short[-1] == pytest.approx(0.003 + 1.5 * 0.004)


def test_support_and_resistance_are_of_the_last_ten_candles_on_both_sides():
    close, low, high = np.full(400, 100.0), np.full(400, 99.9), np.full(400, 100.3)
    low[378], high[378] = 99.5, 100.7  # ATR .4 again but for a trace when candle 388 closes
    candles = Candles(np.arange(400, dtype=np.int64), close, high, low, close, close, 1)
    for side, near, far in ((1, 0.001, 0.005), (-1, 0.003, 0.007)):
        found = initial_stop_distance(candles, np.full(400, side), STOPS)
        assert found[388] == pytest.approx(near + 1.5 * 0.004, abs=5e-4)
        assert found[387] == pytest.approx(far + 1.5 * 0.004, abs=5e-4)


def test_stop_distance_is_bounded_and_the_hard_limit_where_unknown(candles):
    direction = np.where(np.arange(len(candles)) % 2, 1, -1)
    distance = initial_stop_distance(candles, direction, STOPS)
    assert STOPS.hard_limit == 0.03  # spec 004
    assert ((distance >= STOPS.minimum) & (distance <= STOPS.hard_limit)).all()
    assert (distance[:10] == STOPS.hard_limit).all()
    assert len(np.unique(distance)) > 100


@pytest.mark.parametrize(
    ("profit", "distance"),
    [
        (0.0, None),
        (0.01, None),
        (0.011, 0.03),
        (0.0199, 0.03),
        (0.02, 0.025),
        (0.04, 0.02),
        (0.06, 0.015),
        (0.5, 0.015),
    ],
)
def test_trailing_tiers(profit, distance):
    assert trailing_distance(profit, STOPS) == distance


@pytest.mark.parametrize("side", [1, -1])
def test_the_stop_trails_by_price_and_by_volatility_and_is_never_wider_than_planned(side):
    def stop(best, multiplier=1.0, planned=0.02):
        return stop_rate(100.0, 100.0, 100 + side * best, side, planned, STOPS, multiplier)

    assert stop(0.9) == pytest.approx(100 - side * 2)  # as planned
    assert stop(5) == pytest.approx((100 + side * 5) * (1 - side * 0.02))
    assert stop(5, multiplier=1.25) == pytest.approx((100 + side * 5) * (1 - side * 0.025))
    assert stop(1.5, planned=0.01) == pytest.approx(100 - side * 1)  # 3 % behind the best is farther
    # After a tranche at a better price: the initial stop stays, profit counts from the average.
    averaged = [stop_rate(100.0, 100.0 - side, 100 + side * best, side, 0.02, STOPS) for best in (0, 3.2)]
    assert averaged == pytest.approx([100 - side * 2, (100 + side * 3.2) * (1 - side * 0.02)])


@given(path=st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=50), direction=st.sampled_from((1, -1)))
def test_stops_only_move_in_the_trades_favour(path, direction):
    """Freqtrade keeps the best of the stops it is told; told per candle's best price, that never loosens."""
    stop, price = -np.inf, 100.0
    for move in path:
        price *= 1 + move
        rate = stop_rate(100.0, 100.0, price, direction, 0.02, STOPS)
        best = max(stop, direction * rate)
        assert best >= stop
        assert (
            direction * rate >= direction * 100.0 * (1 - direction * 0.02) - 1e-9
        )  # never beyond the initial stop
        stop = best


def test_the_documented_target():
    """Spec 003: reward:risk 2.5, targets multiplied by 1.00165 against 0.165 % of costs."""
    long, short = target_distance(np.array([0.02, 0.02]), np.array([1, -1]), TargetSettings(), CostSettings())
    assert 100 * (1 + long) == pytest.approx(105 * 1.00165)
    assert 100 * (1 - short) == pytest.approx(95 / 1.00165)
    stops = np.array([0.01, 0.03])
    longs = target_distance(stops, np.array([1, 1]), TargetSettings(), CostSettings())
    assert (100 * (1 + longs)).tolist() == pytest.approx([102.5 * 1.00165, 107.5 * 1.00165])
