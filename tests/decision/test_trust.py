"""Trust: bounds, both directions, the switch-off and the come-back, pairs alone, and as a learner."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.trust import Trust
from coordinator.settings.trust import TrustSettings

DAY = 86400
S = TrustSettings()
PAIRS = ("A/USDT", "B/USDT", "C/USDT", "D/USDT")


def run(trust, mean, months=24, seed=0, start=0, n=40, sd=0.5, pairs=PAIRS):
    """Teach ``n`` effects a month, a step each 30 days; all changes."""
    rng = np.random.default_rng(seed)
    changes = []
    for month in range(start, start + months):
        names = [pairs[i % len(pairs)] for i in range(n)]
        changes += trust.learn(month * 30 * DAY, names, rng.normal(mean, sd, n))
    return changes


def whole(changes):
    return [x for x in changes if not x.pair]


def test_starts_at_the_start_and_below_a_lower_cap():
    assert Trust(S).predict(["A"]).tolist() == [0.1]
    assert Trust(S, cap=0.05).predict(["A"]).tolist() == [0.05]


def test_a_real_gain_widens_step_by_step_to_the_cap():
    trust = Trust(S, cap=0.5)
    changes = whole(run(trust, 0.3))
    assert [x.after for x in changes] == [0.2, 0.3, 0.4, 0.5]
    assert trust.range_ == 0.5


def test_harm_switches_off_and_only_later_gains_bring_it_back():
    trust = Trust(S)
    changes = whole(run(trust, -0.3, months=12))
    assert [x.after for x in changes] == [0.0]
    assert trust.predict(PAIRS).tolist() == [0.0] * 4
    back = whole(run(trust, 0.4, months=24, start=12))
    assert (back[0].before, back[0].after) == (0.0, 0.1)


def test_small_samples_change_nothing():
    assert run(Trust(S), -2.0, months=4, n=10) == []


def test_no_effect_at_all_changes_nothing():
    assert run(Trust(S), 0.0, sd=0.0) == []


def test_what_seems_to_harm_is_narrowed_first():
    trust = Trust(S)
    effect = np.tile([1.0, -1.0], 50) - 0.12  # z about -1.2: between certainty and harm
    trust.learn(0, ["A"] * 100, effect)
    change = trust.learn(30 * DAY, [], np.array([]))[0]
    assert (change.before, change.after) == (0.1, 0.05)


def test_a_pair_is_switched_off_alone():
    trust = Trust(S)
    changes = []
    for month in range(12):
        effect = np.tile([0.3, 0.5, 0.4, -0.4], 10) + np.tile([0.1] * 4 + [-0.1] * 4, 5)
        changes += trust.learn(month * 30 * DAY, list(PAIRS) * 10, effect)
    assert {x.pair for x in changes} == {"", "D/USDT"}
    assert trust.predict(PAIRS)[3] == 0.0
    assert (trust.predict(PAIRS)[:3] > 0).all()


def test_without_an_effect_it_is_seldom_off_and_seldom_wide():
    ends = []
    for seed in range(200):
        trust = Trust(S)
        run(trust, 0.0, seed=seed)
        ends.append(trust.range_)
    assert np.mean(np.equal(ends, 0)) < 0.25
    assert np.mean(ends) < 0.25
    assert np.mean(np.array(ends) > 0.5) < 0.1


@settings(max_examples=40, deadline=None)
@given(st.floats(-1, 1), st.integers(0, 99), st.floats(0.02, 1))
def test_bounds_prediction_and_state(mean, seed, cap):
    trust = Trust(S, cap)
    run(trust, mean, months=9, seed=seed)
    state = json.dumps(trust.state())
    assert ((trust.predict(PAIRS) >= 0) & (trust.predict(PAIRS) <= cap)).all()
    assert json.dumps(trust.state()) == state
    other = Trust(S, cap)
    other.restore(json.loads(state))
    assert run(other, mean, months=9, start=9) == run(trust, mean, months=9, start=9)
    assert other.state() == trust.state()


def test_effects_that_are_not_finite_are_passed_over():
    trust = Trust(S)
    trust.learn(0, ["A", "A"], np.array([np.nan, np.inf]))
    assert trust.state()["rows"] == []


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.integers(2, 12))
def test_later_effects_change_nothing_before(mean, other, month):
    first, second = Trust(S), Trust(S)
    kept = run(first, mean, months=month) + run(first, mean, months=9, start=month)
    changed = run(second, mean, months=month) + run(second, other, months=9, seed=1, start=month)
    before = month * 30 * DAY
    assert [x for x in kept if x.time < before] == [x for x in changed if x.time < before]
