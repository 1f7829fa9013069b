"""Risk that is earned: by outcomes of the last days, the same after a restart."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coordinator.decision.earned_risk import EarnedRisk
from coordinator.settings.trade import EarnedRiskSettings

DAY = 86400
S = EarnedRiskSettings(mode="on", days=30, share=0.3, minimum_outcomes=3)


def test_losses_cost_risk_until_the_window_earns_again():
    earned = EarnedRisk(S)
    earned.learn(0, np.array([-1.0, -1.0]))
    assert earned.share == 1.0  # too few
    earned.learn(DAY, np.array([0.5]))
    assert earned.share == 0.3
    earned.learn(2 * DAY, np.array([1.5, np.nan]))
    assert earned.share == 0.3  # exactly nothing is no profit
    earned.learn(3 * DAY, np.array([0.1]))
    assert earned.share == 1.0


def test_days_before_the_window_are_forgotten():
    earned = EarnedRisk(S)
    earned.learn(0, np.full(5, -1.0))
    earned.learn(29 * DAY, np.full(3, 0.5))
    assert earned.share == 0.3
    earned.learn(30 * DAY, np.zeros(0))
    assert earned.share == 1.0


@given(st.lists(st.lists(st.floats(-2, 5), max_size=4), min_size=5, max_size=60), st.integers(0, 50))
def test_a_restart_changes_nothing(days, cut):
    one, other = EarnedRisk(S), EarnedRisk(S)
    for number, r in enumerate(days):
        if number == cut:
            state = json.loads(json.dumps(other.state()))
            other = EarnedRisk(S)
            other.restore(state)
        for learner in (one, other):
            learner.learn(number * DAY, np.array(r, dtype=float))
        assert one.share == other.share
    assert one.state() == other.state()
    assert len(one.days_) <= S.days
