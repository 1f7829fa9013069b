"""The hedge's decision: triggers, hysteresis, size, and the memory of the peak."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.portfolio.correlation import ReturnPanel
from coordinator.portfolio.drawdown import DrawdownTracker
from coordinator.portfolio.hedge import Exposure, Hedge, Stress, net_long, rebalance
from coordinator.portfolio.stress import average_correlation, market_volatility
from coordinator.settings.portfolio import HedgeSettings

HOUR, DAY = 3600, 86_400
equities = st.lists(st.floats(1.0, 1e6), min_size=1, max_size=300)


def test_on_above_the_trigger_off_below_half_of_it():
    hedge, seen = Hedge(HedgeSettings()), []
    for i, drawdown in enumerate((0.0, 0.10, 0.101, 0.08, 0.05, 0.0499, 0.09, 0.12)):
        hedge.step(i, Stress(drawdown), 100.0)
        seen.append(hedge.active)
    assert seen == [False, False, True, True, True, False, False, True]
    assert (hedge.reason, hedge.since) == ("drawdown 12 %", 7)


@pytest.mark.parametrize(
    ("name", "level", "on", "still", "off"),
    [("volatility", 0.08, 0.09, 0.05, 0.03), ("correlation", 0.95, 0.96, 0.90, 0.80)],
)
def test_other_triggers_need_a_switch_and_something_to_hedge(name, level, on, still, off):
    calm = {"drawdown": 0.0}
    hedge = Hedge(HedgeSettings())
    hedge.step(0, Stress(**calm, **{name: on}), 100.0)
    assert not hedge.active
    hedge = Hedge(HedgeSettings(**{name: level}))
    hedge.step(0, Stress(**calm, **{name: on}), 0.0)
    assert not hedge.active
    for value, expected in ((on, True), (still, True), (off, False)):
        hedge.step(1, Stress(**calm, **{name: value}), 100.0)
        assert hedge.active == expected


@pytest.mark.parametrize(
    ("stress", "reason"),
    [
        (Stress(0.1234), "drawdown 12 %"),
        (Stress(0.0, 0.0912), "volatility 9 %"),
        (Stress(0.0, 0.0, 0.9567), "average correlation 0.96"),
        (Stress(0.2, 0.09, 0.96), "drawdown 20 %"),
    ],
)
def test_the_reason_is_the_first_trigger_and_its_number(stress, reason):
    hedge = Hedge(HedgeSettings(volatility=0.08, correlation=0.95))
    assert hedge.step(7, stress, 100.0)
    assert (hedge.reason, hedge.since) == (reason, 7)
    assert hedge.step(8, Stress(0.01, 0.01, 0.1), 100.0)
    assert (hedge.reason, hedge.since) == ("drawdown 1 %", 8)


def test_one_trigger_holds_what_another_began():
    hedge = Hedge(HedgeSettings(volatility=0.08))
    hedge.step(0, Stress(0.11, 0.01), 100.0)
    hedge.step(1, Stress(0.01, 0.05), 100.0)
    assert hedge.active
    hedge.step(2, Stress(0.01, float("nan")), 100.0)
    assert not hedge.active


@given(st.lists(st.floats(0.0500001, 0.0999999), min_size=2, max_size=100), st.booleans())
def test_no_flip_flop_between_the_levels(drawdowns, active):
    hedge = Hedge(HedgeSettings())
    hedge.step(0, Stress(0.2 if active else 0.0), 1.0)
    assert not any(hedge.step(i, Stress(x), 1.0) for i, x in enumerate(drawdowns, 1))


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 100), st.floats(0.01, 1))
def test_the_hedge_never_exceeds_its_share_beyond_the_tolerance(current, exposure, tolerance, minimum, share):
    hedge = Hedge(HedgeSettings(share=share))
    hedge.step(0, Stress(0.5), exposure)
    target = hedge.target(exposure)
    assert target == share * exposure
    change = rebalance(current, target, tolerance, minimum)
    after = current + change
    if target >= minimum:  # else it is closed
        assert after <= target * (1 + tolerance) + minimum + 1e-6
    if change:
        assert after >= minimum - 1e-6
        assert abs(change) >= minimum
        assert rebalance(after, target, tolerance, max(minimum, 1e-6)) == 0.0


def test_net_long():
    assert net_long([]) == 0
    assert net_long([Exposure(1, 100.0), Exposure(-1, 300.0)]) == 0
    assert net_long([Exposure(1, 100.0), Exposure(1, 50.0), Exposure(-1, 30.0)]) == 120


@given(equities)
def test_drawdown_is_that_of_the_highest_so_far(values):
    tracker = DrawdownTracker(3650)
    found = [tracker.update(i * HOUR, x) for i, x in enumerate(values)]
    assert np.allclose(found, 1 - np.array(values) / np.maximum.accumulate(values))
    assert all(0 <= x < 1 for x in found)


def test_an_old_peak_is_forgotten_so_that_a_bot_is_not_locked_for_ever():
    tracker, hedge = DrawdownTracker(30), Hedge(HedgeSettings())
    hedge.step(0, Stress(tracker.update(0, 100.0)), 0.0)
    active = []
    for day in range(1, 60):
        hedge.step(day * DAY, Stress(tracker.update(day * DAY, 85.0)), 0.0)
        active.append(hedge.active)
    assert active == [True] * 29 + [False] * 30


@given(equities, st.integers(0, 300))
def test_a_restart_changes_nothing(values, cut):
    def run(restarted):
        tracker, hedge, out = DrawdownTracker(5), Hedge(HedgeSettings()), []
        for i, x in enumerate(values):
            if restarted and i == cut:
                saved = json.loads(json.dumps([tracker.state(), hedge.state()]))
                tracker, hedge = DrawdownTracker(5), Hedge(HedgeSettings())
                tracker.restore(saved[0])
                hedge.restore(saved[1])
            hedge.step(i * HOUR, Stress(tracker.update(i * HOUR, x)), 1.0)
            out.append((tracker.drawdown, tracker.peak, hedge.state()))
        return out

    assert run(True) == run(False)


def panel(seed, common, n=400):
    rng, time = np.random.default_rng(seed), np.arange(n) * HOUR
    shared = rng.normal(0, 0.01, n)
    walks = {
        f"P{i}": (time, 100 * np.exp(np.cumsum(common * shared + (1 - common) * rng.normal(0, 0.01, n))))
        for i in range(4)
    }
    return ReturnPanel.from_closes(walks), walks


def test_volatility_and_correlation_of_a_known_market():
    found, _ = panel(1, common=0.9)
    assert market_volatility(found, 399 * HOUR, 300, HOUR) == pytest.approx(0.009 * 24**0.5, rel=0.1)
    assert average_correlation(found.correlations(399 * HOUR, 300)) > 0.95
    assert abs(average_correlation(panel(2, common=0.0)[0].correlations(399 * HOUR, 300))) < 0.1
    assert np.isnan(market_volatility(found, 50 * HOUR, 100, HOUR))
    hourly, daily = (market_volatility(found, 399 * HOUR, 300, seconds) for seconds in (HOUR, 24 * HOUR))
    assert hourly == pytest.approx(daily * 24**0.5)
    short = ReturnPanel(found.pairs, found.time, found.returns.copy())
    short.returns[:, 0] = np.nan  # a pair without history is left out of the mean
    assert market_volatility(short, 399 * HOUR, 300, HOUR) == pytest.approx(0.009 * 24**0.5, rel=0.1)


def test_stress_does_not_see_the_future():
    _, walks = panel(3, common=0.5)
    cut = ReturnPanel.from_closes({name: (t[:200], x[:200]) for name, (t, x) in walks.items()})
    whole = ReturnPanel.from_closes(walks)
    at = 199 * HOUR
    assert market_volatility(cut, at, 100, HOUR) == market_volatility(whole, at, 100, HOUR)
    assert average_correlation(cut.correlations(at, 100)) == average_correlation(whole.correlations(at, 100))
