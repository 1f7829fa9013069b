"""Trust: bounds, both directions, the switch-off and the come-back, pairs alone, and as a learner."""

import importlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.trust import Trust
from coordinator.settings.trust import TrustSettings

DAY = 86400
S = TrustSettings()
PAIRS = ("A/USDT", "B/USDT", "C/USDT", "D/USDT")


def run(trust, mean, months=24, seed=0, start=0, n=40, sd=0.5, pairs=PAIRS):
    """Teach ``n`` effects a month, a step each 30 days: a block and a review each; all changes."""
    rng = np.random.default_rng(seed)
    changes = []
    for month in range(start, start + months):
        names = [pairs[i % len(pairs)] for i in range(n)]
        changes += trust.learn(month * 30 * DAY, names, rng.normal(mean, sd, n))
    return changes


def teach_months(trust, means, start=0):
    """A month's effects are about its mean, without luck."""
    changes = []
    for month, mean in enumerate(means, start):
        changes += trust.learn(month * 30 * DAY, ["A"] * 2, np.array([mean - 0.1, mean + 0.1]))
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


def test_few_blocks_change_nothing():
    assert run(Trust(S), -2.0, months=S.minimum_blocks) == []
    assert run(Trust(S), -2.0, months=S.minimum_blocks + 1)[0].after == 0.0


def test_no_effect_at_all_changes_nothing():
    assert run(Trust(S), 0.0, sd=0.0) == []


def test_what_seems_to_harm_is_narrowed_first():
    trust = Trust(S)
    changes = teach_months(trust, [-0.27, 0.03] * 10)
    assert [(x.before, x.after) for x in changes[:1]] == [(0.1, 0.05)]
    assert 0.8 <= float(changes[0].reason.split("P(harm) ")[1]) < 0.95


def test_no_step_rests_on_the_evidence_of_the_step_before():
    """After a clear gain, months without one: P(gain) over all stays high, and nothing is widened."""
    trust = Trust(S)
    changes = teach_months(trust, [*[0.3, 0.25, 0.35] * 3, 0.0, 0.01, -0.01, 0.01, -0.02])
    assert [(x.time // DAY, x.after) for x in changes] == [(180, 0.2), (270, 0.3)]
    assert trust.effects_.mean().gain_probability(S.prior, S.edge_scale) > S.certainty


def test_it_is_not_narrowed_twice_on_the_same_evidence():
    """Narrowed as soon as the harm is sure enough, and again after three months that say the same alone."""
    changes = teach_months(Trust(S), [-0.27, 0.03] * 8 + [-0.27, -0.13, 0.03, -0.13, 0.0])
    assert [(x.time // DAY, x.after) for x in changes] == [(510, 0.05), (600, 0.025)]


def test_what_switched_it_off_is_forgotten():
    trust = Trust(S)
    trust.learn(0, PAIRS, np.full(4, -1.0))
    changes = run(trust, -1.0, months=S.minimum_blocks, start=1, sd=0.2)
    assert {x.pair for x in changes} == {"", *PAIRS}
    assert trust.effects_.mean().effects == 40  # of the last month
    assert {record.effects.mean().effects for record in trust.pairs_.values()} == {10}


def test_it_comes_back_at_the_start():
    trust = Trust(S.model_copy(update={"start": 0.3}), cap=0.25)
    assert [x.after for x in whole(run(trust, -0.3, months=12))] == [0.0]
    assert whole(run(trust, 0.4, start=12))[0].after == 0.25


def test_a_cap_lowered_since_then_holds():
    trust, lower = Trust(S), Trust(S, cap=0.15)
    run(trust, 0.4)
    lower.restore(trust.state())
    assert (trust.range_ > 0.15, lower.range_) == (True, 0.15)


def test_a_harm_does_not_hide_behind_a_long_gain():
    """At its cap for two years and more, then harmful: narrowed within nine months, not when the gain is forgotten."""
    trust = Trust(S, cap=0.2)
    run(trust, 0.4, months=36, sd=0.7)
    assert trust.range_ == 0.2
    changes = whole(run(trust, -0.3, months=9, start=36, sd=0.7))
    assert changes[0].after < 0.2
    assert "P(harm) 0.0" in changes[0].reason  # over all, it is still a gain


def test_effects_that_overlap_are_one_observation():
    """Forty effects of one day say no more than one of them; forty of as many blocks do."""
    one, other = Trust(S), Trust(S)
    for month, luck in enumerate(np.random.default_rng(3).normal(0.25, 0.5, 12).tolist()):
        one.learn(month * 30 * DAY, ["A"] * 40, np.full(40, luck))
        other.learn(month * 30 * DAY, ["A"], np.array([luck]))
    assert one.effects_.mean().gain == pytest.approx(other.effects_.mean().gain)


def test_a_pair_is_switched_off_alone():
    trust = Trust(S)
    changes = []
    for month in range(12):
        effect = np.tile([0.3, 0.5, 0.4, -0.4], 10) + np.tile([0.1] * 4 + [-0.1] * 4, 5) + 0.01 * (month % 2)
        changes += trust.learn(month * 30 * DAY, list(PAIRS) * 10, effect)
    assert {x.pair for x in changes} == {"", "D/USDT"}
    assert trust.predict(PAIRS)[3] == 0.0
    assert (trust.predict(PAIRS)[:3] > 0).all()
    back = []
    for month in range(12, 24):
        effect = np.tile([0.4, 0.6], 20) + 0.01 * (month % 2)
        back += [x for x in trust.learn(month * 30 * DAY, ["D/USDT"] * 40, effect) if x.pair]
    assert [(x.pair, x.after) for x in back] == [("D/USDT", 1.0)]


def test_more_pairs_make_a_pairs_harm_less_probable():
    """The same effects of one pair: enough to switch it off alone, not yet beside a hundred others."""
    off = []
    for others in (0, 100):
        trust = Trust(S)
        trust.learn(0, [f"O{i}" for i in range(others)], np.zeros(others))
        changes = teach_months(trust, [-0.3, -0.2, -0.4] * 3)
        off.append([x.pair for x in changes if x.pair])
    assert off == [["A"], []]


@pytest.fixture(scope="module")
def calibration():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).resolve().parents[2])
        yield importlib.import_module("benchmarks.trust_calibration")


def test_without_an_effect_it_is_seldom_moved(calibration):
    """Two years of overlapping signals, reviewed each month: ``python -m benchmarks.trust_calibration`` in small."""
    found = calibration.histories(S, 60, per_day=6)
    assert calibration.share(found, "any") < 0.1
    assert calibration.share(found, "off") < 0.03
    assert calibration.share(found, "pair") < 0.03


def test_with_an_effect_it_is_moved(calibration):
    """Effects that spread as real ones do, by half an R."""
    gain = calibration.histories(S, 15, spread=0.5, phases=((730, 0.1),))
    assert calibration.share(gain, "up") > 0.8
    harm = calibration.histories(S, 15, spread=0.5, phases=((540, -0.15),))
    assert calibration.share(harm, "off") > 0.8


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
    assert trust.effects_.mean().effects == 0
    assert trust.pairs_ == {}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 99))
def test_several_calls_of_one_time_are_one_call(cuts, seed):
    """To the bit, on the days of reviews, too."""
    rng, one, other = np.random.default_rng(seed), Trust(S), Trust(S)
    for step in range(30):
        names, effect = [PAIRS[i] for i in rng.integers(0, 4, 40)], rng.normal(0.3, 0.5, 40)
        whole_call = one.learn(step * 15 * DAY, names, effect)
        bounds = [0, *sorted(cuts), 40]
        parts = []
        for i, j in pairwise(bounds):
            parts += other.learn(step * 15 * DAY, names[i:j], effect[i:j])
        assert parts == whole_call
    assert one.state() == other.state()


def test_what_is_too_long_ago_does_not_count():
    trust = Trust(S.model_copy(update={"window_days": 180}))
    run(trust, 0.0, months=20)
    assert trust.effects_.mean().blocks <= 7
    assert all(len(row["effects"]["rows"]) <= 7 for row in trust.state()["pairs"])


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.integers(2, 12))
def test_later_effects_change_nothing_before(mean, other, month):
    first, second = Trust(S), Trust(S)
    kept = run(first, mean, months=month) + run(first, mean, months=9, start=month)
    changed = run(second, mean, months=month) + run(second, other, months=9, seed=1, start=month)
    before = month * 30 * DAY
    assert [x for x in kept if x.time < before] == [x for x in changed if x.time < before]
