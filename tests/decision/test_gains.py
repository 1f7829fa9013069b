"""Criterion "r": its rules by hand, what counts, the calendar of a fall, and how easily noise and skill earn weight."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.weight_calibration import Market, follow, signals_of
from coordinator.decision.blending.evidence import DayResults
from coordinator.decision.blending.gains import (
    GainEvidence,
    losing_days,
    recent_harm,
    review_gains,
    summarise_gains,
)
from coordinator.decision.blending.manager import MLWeightManager
from coordinator.decision.blending.review import EXPANSION, PILOT, SHADOW
from coordinator.decision.edge import edge_probability, gain_probability, mean_gain
from coordinator.settings.blending import BlendingSettings

DAY = 86400
S = BlendingSettings()
GOOD = GainEvidence(
    outcomes=500, days=90, trade_times=6.0, fresh_times=3.0, halves=0.2, halves_error=0.05, gated=0.1,
    gated_error=0.05, p_halves=0.9, p_gated=0.9, p_fresh=0.9, days_recent=40, p_halves_recent=0.9, p_gated_recent=0.9,
    mean_ml=0.3, mean_baseline=0.1, drawdown_ml=4.0, drawdown_baseline=6.0,
)  # fmt: skip


def manager(phase="shadow", **changed):
    return MLWeightManager(BlendingSettings(start_phase=phase, **changed), 0.6, 0.0)


def test_a_sure_gain_goes_through_the_phases():
    phase, weight, reason = review_gains(SHADOW, 0.0, 60, GOOD, S)
    assert (phase, weight) == (PILOT, 0.10)
    assert reason.startswith("promoted: better half +0.200 R")
    assert review_gains(PILOT, 0.10, 60, GOOD, S)[:2] == (EXPANSION, 0.20)
    assert review_gains(EXPANSION, 0.20, 60, GOOD, S)[:2] == (EXPANSION, 0.25)
    assert review_gains(EXPANSION, 0.30, 60, GOOD, S)[:2] == (4, 0.50)
    assert review_gains(4, 0.70, 60, GOOD, S)[:2] == (4, 0.70)


@pytest.mark.parametrize(("name", "value"), [("p_halves", 0.79), ("p_gated", 0.79), ("p_fresh", 0.69)])
def test_each_of_the_three_has_to_be_sure(name, value):
    for phase in (SHADOW, PILOT, EXPANSION):
        kept = review_gains(phase, S.base_weights[phase], 60, replace(GOOD, **{name: value}), S)
        assert kept[:2] == (phase, S.base_weights[phase])
        assert kept[2].startswith("kept: not sure enough")


def test_a_review_says_why():
    def reason(phase=4, weight=0.4, **changed):
        return review_gains(phase, weight, 60, replace(GOOD, **changed), S)[2]

    evidence = (
        "better half +0.200 R (error 0.050, P 0.90, lately 0.90), "
        "trades +0.100 R (error 0.050, P 0.90), 500 outcomes"
    )
    assert reason() == f"up: {evidence}"
    assert reason(weight=0.7) == "kept: at the phase's cap"
    assert reason(SHADOW, 0.0) == f"promoted: {evidence}"
    assert reason(p_fresh=0.1).startswith("kept: not sure enough that ML is better: better half +0.200 R")
    assert reason(trade_times=5.9).startswith(
        "kept: the evidence, or that since the last change, is too short"
    )
    assert reason(outcomes=49) == "kept: 49 outcomes are too few"
    assert reason(p_halves_recent=0.4, p_gated_recent=0.3) == (
        "down: lately P(better half makes more) 0.40, P(trades do) 0.30"
    )
    assert reason(p_halves_recent=0.1, p_gated_recent=0.15, drawdown_ml=9.1) == (
        "cut: the signals it rates higher make less: P(more) 0.10; its trades make less than the baseline's: "
        "P(more) 0.15; drawdown 9.1 R, baseline 6.0 R at as many trades"
    )


@pytest.mark.parametrize("changed", [{"outcomes": 49}, {"days": 14}])
def test_too_little_changes_nothing(changed):
    harmed = replace(GOOD, p_halves_recent=0.0, **changed)
    assert review_gains(PILOT, 0.1, 60, harmed, S)[:2] == (PILOT, 0.1)


def test_long_trades_need_long_evidence():
    short = replace(GOOD, trade_times=5.9)
    assert review_gains(SHADOW, 0.0, 60, short, S)[:2] == (SHADOW, 0.0)
    assert (
        review_gains(PILOT, 0.1, 60, replace(short, p_halves_recent=0.1), S)[1] == 0.05
    )  # a fall does not wait


def test_shadow_needs_its_predictions_and_foundation_its_outcomes():
    assert review_gains(SHADOW, 0.0, 49, GOOD, S)[:2] == (SHADOW, 0.0)
    assert review_gains(0, 0.0, 99, GOOD, S)[:2] == (0, 0.0)
    assert review_gains(0, 0.0, 100, GOOD, S)[:2] == (SHADOW, 0.0)


def test_the_mirror_cuts():
    def weight(**changed):
        return review_gains(EXPANSION, 0.4, 60, replace(GOOD, mean_ml=0.1, **changed), S)[1]

    assert weight(p_halves_recent=0.19) == pytest.approx(0.2)
    assert weight(p_gated_recent=0.19) == pytest.approx(0.28)
    assert weight(drawdown_ml=9.1) == pytest.approx(0.2)
    assert weight(p_halves_recent=0.19, p_gated_recent=0.19, drawdown_ml=9.1) == pytest.approx(
        0.4 * 0.5 * 0.7 * 0.5
    )
    assert weight(p_halves_recent=0.49, p_gated_recent=0.49) == pytest.approx(0.35)
    assert weight(p_halves_recent=0.49, p_fresh=0.5) == pytest.approx(0.4)


def test_what_a_cut_leaves_of_a_small_weight_is_none():
    phase, weight, reason = review_gains(PILOT, 0.015, 60, replace(GOOD, p_halves_recent=0.1), S)
    assert (phase, weight) == (SHADOW, 0.0)
    assert reason.startswith("back to shadow: cut: ")
    assert review_gains(PILOT, 0.021, 60, replace(GOOD, p_halves_recent=0.1), S)[0] == PILOT  # 1.05 % is left
    doubtful = replace(GOOD, p_halves_recent=0.49, p_gated_recent=0.49)
    assert review_gains(PILOT, 0.10, 60, doubtful, S)[:2] == (PILOT, 0.05)
    assert review_gains(PILOT, 0.05, 60, doubtful, S)[:2] == (SHADOW, 0.0)
    assert review_gains(PILOT, 0.10, 60, replace(doubtful, days_recent=14, p_fresh=0.5), S)[:2] == (
        PILOT,
        0.10,
    )


def test_drawdown_and_gain_hold_up_a_promotion():
    deep = replace(GOOD, drawdown_ml=8.0)
    assert review_gains(PILOT, 0.10, 60, deep, S)[:2] == (PILOT, 0.15)
    assert review_gains(EXPANSION, 0.30, 60, replace(GOOD, mean_ml=0.105), S)[:2] == (EXPANSION, 0.35)


def day(time, ml, baseline, counts=(2, 4)):
    """Four outcomes of which ML said yes to two."""
    return DayResults(
        time * DAY, 4, 2, ml=ml, baseline=baseline, ml_count=counts[0], baseline_count=counts[1],
        total=baseline, yes=2, yes_r=ml,
    )  # fmt: skip


def test_the_summary_by_hand():
    assert (S.evidence_days, S.recent_days) == (730, 90)
    window = [
        day(1, 2.0, 1.0),
        day(2, 4.0, 2.0),
        day(100, -3.0, -2.0),
        day(101, 1.0, 3.0),
        day(102, 0.0, -2.0),
    ]
    e = summarise_gains(window, 110 * DAY, 50 * DAY, S, 20)
    assert (e.outcomes, e.days, e.trade_times, e.fresh_times) == (20, 5, 101 / 20, 52 / 20)
    assert (e.mean_ml, e.mean_baseline) == (0.4, 0.1)
    yes, no = np.array([2.0, 4, -3, 1, 0]), np.array([-1.0, -2, 1, 2, -2])
    halves = mean_gain(np.full(5, 2.0), yes, np.full(5, 2.0), no, np.array([1, 2, 100, 101, 102]), 20)
    assert e.halves == halves.mean == pytest.approx(0.4 - -0.2)
    assert e.p_halves == edge_probability(halves, S.prior_edge, S.edge_scale)
    lately = gain_probability(mean_gain(np.full(3, 2.0), yes[2:], np.full(3, 2.0), no[2:], lag=20))
    assert e.p_fresh == e.p_halves_recent == lately
    days, trades = np.array([1, 2, 100, 101, 102]), np.array([1.0, 2, -2, 3, -2])
    for gated, first in ((e.p_gated, 0), (e.p_gated_recent, 2)):
        ml, baseline = np.full(5 - first, 2.0), np.full(5 - first, 4.0)
        by_hand = mean_gain(ml, yes[first:], baseline, trades[first:], days[first:], 20)
        assert gated == gain_probability(by_hand)
    assert e.drawdown_ml == 3.0
    assert e.drawdown_baseline == pytest.approx(2.0 / 2)  # at half as many trades
    assert e.days_recent == 3
    few = BlendingSettings(minimum_outcomes=12, minimum_days=3)
    assert recent_harm(window, 110 * DAY, few, 20) == pytest.approx(1 - lately)
    for more in (
        BlendingSettings(minimum_outcomes=13, minimum_days=3),
        BlendingSettings(minimum_outcomes=12),
    ):
        assert recent_harm(window, 110 * DAY, more, 20) == 0.5
    assert json.loads(json.dumps(vars(e), allow_nan=False)) == vars(e)
    assert summarise_gains([], 0, -1, S, 20).p_fresh == 0.5


def test_only_days_that_lose_more_than_the_baseline_are_ml_s_failure():
    window = [day(1, -2.0, 1.0), day(2, -1.0, -4.0), day(3, -2.0, 1.0), day(4, -2.0, 1.0)]
    assert losing_days(window, 0) == 3  # the second day it lost less than the baseline
    assert losing_days(window, 2 * DAY) == 2  # since the last change only
    assert losing_days([*window, day(5, 1.0, 0.0)], 0) == 0
    assert losing_days([*window, day(5, 0.0, 1.0, counts=(0, 4))], 0) == 3


def feed(one, first, days, better, n=20):
    """Days on which ML's yes makes so much more than its no."""
    reviews = []
    for i in range(first, first + days):
        ml = np.linspace(0.0, 1.0, n)
        noise = np.where(np.arange(n) % 2 == i % 2, 1.0, -1.0)
        r = noise + np.where(ml >= 0.5, better, -better) / 2
        reviews += [one.learn(i * DAY, ml, np.ones(n), r)]
    return [review for review in reviews if review]


def test_a_fall_takes_all_weight_and_the_evidence_begins_anew():
    one = manager()
    rises = feed(one, 0, 200, 1.0)
    assert [review.phase_after for review in rises[:2]] == ["pilot", "expansion"]
    assert one.weight_ >= 0.4
    falls = feed(one, 200, 90, -1.0)
    last = next(review for review in falls if review.is_rollback)
    assert last.reason.startswith("breaker: ")
    assert (last.weight_after, last.phase_after) == (0.0, "shadow")
    assert last.time - 200 * DAY < 60 * DAY
    assert one.window_[0].time > last.time
    restored = manager()
    restored.restore(json.loads(json.dumps(one.state(), allow_nan=False)))
    assert restored.state() == one.state()
    assert feed(restored, 290, 60, 1.0) == feed(one, 290, 60, 1.0)


def test_ten_days_in_a_row_worse_than_the_baseline_break():
    one = manager("expansion", minimum_outcomes=10_000)
    for i in range(9):
        assert one.learn((i + 1) * DAY, np.array([0.9, 0.1]), np.ones(2), np.array([-1.0, 1.0])) is None
    review = one.learn(10 * DAY, np.array([0.9, 0.1]), np.ones(2), np.array([-1.0, 1.0]))
    assert review.reason == "breaker: 10 days in a row lost, and more than the baseline"
    assert review.is_rollback


# How easily weight is earned: benchmarks.weight_calibration prints more of it.


def test_noise_hardly_ever_leaves_shadow():
    """Of 60 runs over two years; moods of a model and luck that pairs share are noise too."""
    lasting = Market(per_day=5, together=1.0, moods=0.6, memory=10.0, overlap=20)
    markets = (Market(), Market(together=1.0, moods=0.6), lasting)
    paths = [follow(market, seed) for market in markets for seed in range(20)]
    assert sum(path.pilot < math.inf for path in paths) <= 5
    assert sum(path.greatest > 0.10 for path in paths) <= 3
    easy = BlendingSettings(prior_edge=0.5)  # what it would be without the sceptic and the overlap
    assert sum(follow(replace(lasting, overlap=0), seed, easy).pilot < math.inf for seed in range(20)) > 5


def test_the_skill_measured_on_real_candles_reaches_expansion_within_half_a_year():
    paths = [follow(Market(days=184, auc=0.549), seed) for seed in range(30)]
    assert np.mean([path.expansion < math.inf for path in paths]) > 0.7  # .83 of 400 runs


def test_the_made_up_skill_is_as_stated():
    score, _, r = signals_of(Market(auc=0.549), 1)
    best = np.argsort(score.ravel())[-int(0.3 * score.size) :]
    assert r.ravel()[best].mean() - r.mean() == pytest.approx(0.15, abs=0.03)
