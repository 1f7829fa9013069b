"""The ML weight manager: what it counts, its breakers and calendar, the controls, and as a learner."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.blending.evidence import DayResults
from coordinator.decision.blending.manager import PHASES, MLWeightManager, pilot_arm
from coordinator.errors import CoordinatorError
from coordinator.settings import load_settings
from coordinator.settings.blending import BlendingSettings


def documented(**changed):
    return BlendingSettings(**{"criterion": "accuracy", **changed})


S = documented()
DAY = 86400


def simulate(seed, slope, days=360, per_day=20, start="foundation", shock=0.0, changed=None):
    """Days of outcomes won with probability .31 + slope x (ML score - .5); accuracy is about .5 + slope / 4."""
    rng = np.random.default_rng(seed)
    manager = MLWeightManager(documented(start_phase=start, **(changed or {})), 0.7)
    for day in range(days):
        ml, baseline = rng.random(per_day), rng.random(per_day)
        won = rng.random(per_day) < 0.31 + slope * (ml - 0.5) + shock * rng.normal()
        manager.learn(day * DAY, ml, baseline, np.where(won, 2.4, -1.1))
    return manager


def raises(manager):
    return sum(review.weight_after > review.weight_before for review in manager.reviews_)


def test_the_documented_phases_and_base_weights():
    assert PHASES == ("foundation", "shadow", "pilot", "expansion", "optimization")
    assert S.base_weights == (0.0, 0.0, 0.10, 0.20, 0.40)
    assert S.phase_caps == (0.0, 0.0, 0.20, 0.40, 0.70)
    assert (S.review_days, S.certainty, S.pilot_share) == (30, 0.8, 0.10)
    for phase, weight in zip(PHASES, S.base_weights, strict=True):
        assert MLWeightManager(documented(start_phase=phase), 0.7).weight_ == weight


def feed(manager, day, ml, r, n=20, baseline=0.5):
    """One day of ``n`` equal outcomes."""
    return manager.learn(day * DAY, np.full(n, ml), np.full(n, baseline), np.full(n, r))


def test_a_yes_is_right_where_r_is_positive_and_a_no_where_it_is_not():
    manager = MLWeightManager(S, 0.7)
    ml, r = np.array([0.5, 0.5, 0.5, 0.49, 0.49, 0.49]), np.array([0.1, 0.1, 0.0, 0.0, 0.0, 0.1])
    manager.learn(0, ml, np.zeros(6), r)
    assert (manager.window_[0].count, manager.window_[0].right) == (6, 4)


def test_both_sides_trade_from_the_gate_on():
    manager = MLWeightManager(S, 0.7)
    manager.learn(0, np.array([0.7, 0.69, 0.9]), np.array([0.1, 0.7, 0.8]), np.array([2.0, -1.0, 1.0]))
    assert manager.window_[0] == DayResults(
        0, 3, 2, ml=3.0, baseline=0.0, refused=1, refused_lost=1,
        ml_count=2, baseline_count=2, total=2.0, yes=3, yes_r=2.0,
    )  # fmt: skip


def test_absent_ml_counts_for_foundation_only():
    manager, nan = MLWeightManager(S, 0.7), np.full(3, np.nan)
    manager.learn(0, nan, np.ones(3), np.array([1.0, -1.0, np.nan]))
    assert manager.phase_outcomes_ == 2
    assert not manager.window_
    shadow = MLWeightManager(documented(start_phase="shadow"), 0.7)
    shadow.learn(0, nan, np.ones(3), np.ones(3))
    assert shadow.phase_outcomes_ == 0


def test_reviews_are_thirty_days_apart():
    manager = MLWeightManager(S, 0.7)
    reviews = {day: review for day in range(100) if (review := feed(manager, day, 0.4, 1.0)) is not None}
    assert list(reviews) == [30, 60, 90]
    assert {review.evidence.days for review in reviews.values()} == {30}


def test_after_a_pause_there_is_one_review_and_the_calendar_goes_on():
    manager = MLWeightManager(S, 0.7)
    feed(manager, 0, 0.4, 1.0)
    assert feed(manager, 100, 0.4, 1.0) is not None
    assert manager.next_review_ == 120 * DAY
    assert [day.time for day in manager.window_] == [100 * DAY]


@pytest.mark.parametrize("phase", ["pilot", "expansion", "optimization"])
def test_ten_losses_in_a_row_end_in_shadow_at_once(phase):
    manager = MLWeightManager(documented(start_phase=phase, breaker_scaled=False), 0.7)
    assert feed(manager, 0, 0.9, -1.0, n=9) is None
    review = feed(manager, 1, 0.9, -1.0, n=1)
    assert (review.phase_before, review.phase_after) == (phase, "shadow")
    assert (manager.weight_, manager.losing_run_) == (0.0, 0)
    assert review.reason == "breaker: 10 ML losses in a row (limit 10)"
    assert manager.next_review_ == 31 * DAY


def test_a_win_ends_the_run_and_refused_signals_are_not_part_of_it():
    manager = MLWeightManager(documented(start_phase="pilot", breaker_scaled=False), 0.7)
    for ml, r, run in ((0.9, -1.0, 6), (0.6, -1.0, 6), (0.9, 1.0, 0), (0.9, 0.0, 6)):
        feed(manager, 0, ml, r, n=6)
        assert manager.losing_run_ == run


@pytest.mark.parametrize(
    ("lost", "limit"), [(0, 10), (499, 10), (689, 19), (950, 20)]
)  # 10 x ln .5 / ln .689 = 18.6; at most twice ten
def test_the_run_is_as_rare_as_at_even_odds(lost, limit):
    manager = MLWeightManager(documented(start_phase="pilot"), 0.7)
    manager.window_.append(DayResults(0, count=998, right=600, refused=998, refused_lost=lost))
    assert manager._breaking_run() == limit


def test_accuracy_below_fortyfive_percent_takes_all_weight():
    manager = MLWeightManager(documented(start_phase="expansion", breaker_losses=1000), 0.7)
    ml, r = np.full(50, 0.6), np.repeat([1.0, -1.0], [18, 32])
    review = manager.learn(0, ml, ml, r)
    assert review.phase_after == "shadow"
    assert review.weight_after == 0.0
    assert review.reason == "breaker: accuracy 36% is below 45%"


@pytest.mark.parametrize(("n", "right"), [(49, 10), (50, 22)])
def test_too_few_or_too_close_do_not_break(n, right):
    manager = MLWeightManager(documented(start_phase="expansion", breaker_losses=1000), 0.7)
    assert manager.learn(0, np.full(n, 0.6), np.zeros(n), np.repeat([1.0, -1.0], [right, n - right])) is None
    assert manager.phase == "expansion"


def test_no_weight_before_pilot_and_no_breaker_either():
    manager = MLWeightManager(documented(start_phase="shadow"), 0.7)
    for day in range(29):
        assert feed(manager, day, 0.9, -1.0) is None
    assert manager.predict(["A"] * 3, np.arange(3)).tolist() == [0.0] * 3


def test_the_pilot_blends_a_tenth_by_pair_and_candle():
    manager = MLWeightManager(documented(start_phase="pilot"), 0.7)
    time, pairs = np.arange(20_000) * 3600, ["BTC/USDT", "ETH/USDT"] * 10_000
    weight = manager.predict(pairs, time)
    arm = manager.pilot_arm(pairs, time)
    assert set(weight) == {0.0, 0.10}
    np.testing.assert_array_equal(weight > 0, arm)
    assert arm.mean() == pytest.approx(0.10, abs=0.007)
    np.testing.assert_array_equal(pilot_arm(pairs[7:9], time[7:9], 0.10, 7), arm[7:9])
    alone = [manager.pilot_arm([pair] * 1000, time[:1000]) for pair in ("BTC/USDT", "ETH/USDT")]
    assert (alone[0] != alone[1]).any()
    full = MLWeightManager(documented(start_phase="expansion"), 0.7)
    assert set(full.predict(pairs, time)) == {0.20}


def test_both_arms_of_the_pilot_are_counted():
    manager = MLWeightManager(documented(start_phase="pilot"), 0.7)
    r = np.array([5.0, np.nan, 2.0, -1.0, 1.0])
    half = np.full(5, 0.5)
    arm, accepted = np.array([-1, 1, 1, 0, 1]), np.array([True, True, True, True, False])
    manager.learn(0, half, half, r, arm=arm, accepted=accepted)
    assert manager.state()["arms"] == {
        "baseline": {"signals": 1, "accepted": 1, "won": 0, "sum_r": -1.0, "sum_r2": 1.0},
        "blend": {"signals": 2, "accepted": 1, "won": 1, "sum_r": 2.0, "sum_r2": 4.0},
    }


# Controls


@pytest.mark.parametrize("shock", [0.0, 0.15], ids=["independent", "days move together"])
def test_random_outcomes_rarely_raise_the_weight(shock):
    """200 seeds x a year from shadow: fewer than one review in a hundred raises (stated bound)."""
    managers = [simulate(seed, 0.0, start="shadow", shock=shock) for seed in range(200)]
    reviews = sum(len(manager.reviews_) for manager in managers)
    assert reviews > 2000
    assert sum(map(raises, managers)) / reviews < 0.01
    assert np.mean([manager.weight_ for manager in managers]) < 0.005


def test_a_weight_without_an_edge_goes_away():
    managers = [simulate(seed, 0.0, start="optimization") for seed in range(40)]
    assert np.mean([manager.weight_ for manager in managers]) < 0.10


def test_a_real_edge_earns_the_weight():
    """Accuracy about 60 %: after a year from foundation at the cap or near it."""
    managers = [simulate(seed, 0.4) for seed in range(20)]
    assert np.mean([manager.weight_ for manager in managers]) > 0.5
    assert min(raises(manager) for manager in managers) >= 3
    first: dict[str, int] = {}
    for review in (review for manager in managers for review in manager.reviews_):
        first[review.phase_after] = min(first.get(review.phase_after, review.time), review.time)
    days = {"shadow": 30, "pilot": 60, "expansion": 90, "optimization": 180}
    assert first == {phase: day * DAY for phase, day in days.items()}  # no phase can begin earlier


def test_a_greater_edge_earns_no_less():
    means = [np.mean([simulate(seed, slope).weight_ for seed in range(10)]) for slope in (0, 0.2, 0.3, 0.4)]
    assert (
        0.0 == means[0] < means[1] < means[2] < means[3] <= 0.7
    )  # no gate: what lies between earns what lies between


# As a learner


def steps(seed, n=150):
    rng = np.random.default_rng(seed)
    slope = rng.uniform(-0.5, 0.5)
    for day in range(n):
        k = rng.integers(0, 12)
        ml = np.where(rng.random(k) < 0.1, np.nan, rng.random(k))
        won = rng.random(k) < 0.4 + slope * (np.nan_to_num(ml) - 0.5)
        yield day * DAY, ml, rng.random(k), np.where(won, 2.4, -1.1)


@given(seed=st.integers(0, 10_000), start=st.sampled_from(PHASES))
@settings(max_examples=30, deadline=None)
def test_bounds_memory_and_no_change_from_prediction(seed, start):
    manager = MLWeightManager(documented(start_phase=start, reviews_kept=2), 0.7)
    for step in steps(seed):
        before = manager.weight_
        manager.learn(*step)
        assert 0.0 <= manager.weight_ <= S.phase_caps[manager.phase_]
        # A promotion to optimization moves by .20, everything else that rises by .10 at most.
        assert manager.weight_ - before <= 0.2 + 1e-9
    assert len(manager.window_) <= S.window_days
    assert len(manager.reviews_) == 2
    stored = json.dumps(manager.state(), allow_nan=False)
    manager.predict(["A", "B"], np.arange(2))
    manager.pilot_arm(["A", "B"], np.arange(2))
    assert json.dumps(manager.state()) == stored


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 149), start=st.sampled_from(PHASES))
@settings(max_examples=30, deadline=None)
def test_restarts_between_steps_change_no_bit(seed, cut, start):
    whole, parts = (MLWeightManager(documented(start_phase=start), 0.7) for _ in range(2))
    for i, step in enumerate(steps(seed)):
        if i == cut:
            stored = json.loads(json.dumps(parts.state()))
            parts = MLWeightManager(S, 0.7)
            parts.restore(stored)
        assert parts.learn(*step) == whole.learn(*step)
    assert parts.state() == whole.state()


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 12))
@settings(max_examples=30, deadline=None)
def test_a_day_in_two_chunks_is_the_same_day(seed, cut):
    whole, parts = MLWeightManager(S, 0.7), MLWeightManager(S, 0.7)
    for time, *rows in steps(seed, 29):  # foundation, before its first review
        whole.learn(time, *rows)
        parts.learn(time, *(x[:cut] for x in rows))
        parts.learn(time, *(x[cut:] for x in rows))
    assert parts.state() == whole.state()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"phase_caps": [0, 0, 0.2, 0.4, 0.8]}, "0 <= base_weights"),
        ({"base_weights": [0, 0.1]}, "five entries"),
        ({"base_weights": [0, 0.0, 0.3, 0.2, 0.4]}, "0 <= base_weights"),
        ({"phase_caps": [0.1, 0.1, 0.2, 0.4, 0.7]}, "the cap 0"),
        ({"accuracy_bar": 0.45}, "accuracy_floor"),
        ({"sharpe_cut": 0.95}, "sharpe_cut"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(changed, message):
    with pytest.raises(CoordinatorError, match=message):
        load_settings({"blending": changed})
