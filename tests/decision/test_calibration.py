"""The calibrator against its formulas, against known probabilities, and as a learner."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.calibration import Calibrator, expected_r
from coordinator.learning.reliability import brier, brier_skill, ece, reliability
from coordinator.settings.learners import CalibrationSettings

S = CalibrationSettings()
NO_FADING = CalibrationSettings(half_life=100_000)
GRID = np.linspace(0, 1, 101)


def outcomes(seed, n=300, slope=0.4):
    rng = np.random.default_rng(seed)
    c = rng.random(n)
    won = rng.random(n) < 0.31 + slope * (c - 0.5)
    return c, won, np.where(won, 2.4, -1.1)


def learned(seed, n=300, **kw):
    calibrator = Calibrator(S, 2.5)
    calibrator.learn(*outcomes(seed, n, **kw))
    return calibrator


def test_without_history_the_base_rate_is_that_of_a_driftless_price():
    fresh = Calibrator(S, 2.5)
    np.testing.assert_allclose(fresh.predict(GRID), 1 / 3.5)
    np.testing.assert_array_equal(fresh.predict_r(GRID), 0.0)


def test_one_win_moves_its_bin_by_the_beta_binomial_formula():
    calibrator = Calibrator(NO_FADING, 2.5)
    calibrator.learn(np.array([0.55]), np.array([True]), np.array([2.4]))
    n = 2.0 ** (-1 / 100_000)  # the one outcome, faded once
    base = (50 / 3.5 + n) / (50 + n)
    own, other = calibrator.predict(np.array([0.55, 0.95]))
    assert calibrator.base_rate == pytest.approx(base, abs=1e-12)
    assert own == pytest.approx((20 * base + n) / (20 + n), abs=1e-12)
    assert other == pytest.approx(base, abs=1e-12)


def test_an_outcome_counts_half_after_the_half_life():
    calibrator = Calibrator(CalibrationSettings(half_life=100), 2.5)
    calibrator.learn(np.array([0.05]), np.array([True]), np.array([2.4]))
    calibrator.learn(np.full(99, 0.95), np.zeros(99, bool), np.full(99, -1.0))
    assert calibrator.sums_[0][0] / calibrator.scale_ == pytest.approx(0.5)
    assert calibrator.sums_[1][0] / calibrator.scale_ == pytest.approx(0.5)


def test_horizon_exits_are_outcomes_without_a_win_but_with_their_r():
    calibrator = Calibrator(NO_FADING, 2.5)
    calibrator.learn(np.full(500, 0.5), np.zeros(500, bool), np.full(500, 0.4))
    assert calibrator.predict(np.array([0.5]))[0] < 0.06
    assert calibrator.predict_r(np.array([0.5]))[0] == pytest.approx(0.4, abs=0.05)


def test_expected_r_is_the_formula():
    np.testing.assert_allclose(expected_r(np.array([0.0, 0.3, 1.0]), 2.5, 0.13), [-1.13, -0.08, 2.37])


def test_expected_r_shrinks_to_the_mean_where_bins_do_not_differ_and_not_where_they_do():
    def spread(slope):
        calibrator = Calibrator(S, 2.5)
        c, won, r = outcomes(1, 6000, slope)
        calibrator.learn(c, won, r)
        return np.ptp(calibrator.predict_r(GRID)), calibrator.base_r, r.mean()

    flat, base, _ = spread(0.0)
    steep, *_ = spread(0.6)
    assert flat < 0.25
    assert steep > 1.2  # truth: .54 x 3.5 = 1.9 R between the outer bins
    assert base == pytest.approx(outcomes(1, 6000, 0.0)[2].mean(), abs=0.1)


def test_pseudo_outcomes_are_the_ratio_of_variances():
    calibrator = Calibrator(NO_FADING, 2.5)
    low, high = np.tile([-1.0, 1.0], 500), np.tile([-0.8, 1.2], 500)
    c = np.concatenate((np.full(1000, 0.05), np.full(1000, 0.95)))
    calibrator.learn(c, c > 2, np.concatenate((low, high)))
    # within: 1; between: (0.2 squared x 1000 x 1000 / 2000 - 1) / 1000, so the ratio is 1000 / 19
    assert calibrator._pseudo_outcomes() == pytest.approx(1000 / 19, rel=0.03)


def test_calibrated_to_three_percent_on_known_probabilities():
    calibrator, p, won = Calibrator(S, 2.5), [], []
    c, truth, r = outcomes(3, 12_000, slope=0.5)
    for start in range(0, len(c), 20):
        day = slice(start, start + 20)
        p.append(calibrator.predict(c[day]))
        calibrator.learn(c[day], truth[day], r[day])
    p, won = np.concatenate(p)[2000:], truth[2000:]
    assert ece(p, won) < 0.03
    assert brier_skill(p, won) > 0.05
    shuffled = np.random.default_rng(0).permutation(won)
    assert brier_skill(p, shuffled) < 0.0  # the control: no skill on outcomes that have nothing to do with it


def test_follows_a_market_that_changes():
    calibrator = Calibrator(CalibrationSettings(half_life=200), 2.5)
    c = np.full(3000, 0.5)
    calibrator.learn(c, np.ones(3000, bool), np.full(3000, 2.4))
    assert calibrator.predict(c[:1])[0] > 0.9
    calibrator.learn(c, np.zeros(3000, bool), np.full(3000, -1.1))
    assert calibrator.predict(c[:1])[0] < 0.1


@given(seed=st.integers(0, 10_000), n=st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_bounds_and_no_change_from_prediction(seed, n):
    calibrator = learned(seed, n)
    before = json.dumps(calibrator.state())
    p, r = calibrator.predict(GRID), calibrator.predict_r(GRID)
    assert ((p > 0) & (p < 1)).all()
    assert ((r >= -1.1) & (r <= 2.4)).all()
    assert json.dumps(calibrator.state()) == before
    assert calibrator.outcomes_ == n


@given(seed=st.integers(0, 10_000), b=st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_a_win_never_lowers_and_a_loss_never_raises_its_bin(seed, b):
    # Fading moves every bin a little, so the same outcome is learned as won and as lost.
    won, lost = learned(seed), learned(seed)
    c = np.array([b / 10 + 0.05])
    won.learn(c, np.array([True]), np.array([2.4]))
    lost.learn(c, np.array([False]), np.array([-1.1]))
    assert won.predict(c)[0] > lost.predict(c)[0]
    assert (won.predict(GRID) >= lost.predict(GRID)).all()


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_chunks_and_restarts_change_no_bit(seed, cut):
    c, won, r = outcomes(seed)
    whole, parts = Calibrator(S, 2.5), Calibrator(S, 2.5)
    whole.learn(c, won, r)
    parts.learn(c[:cut], won[:cut], r[:cut])
    again = Calibrator(S, 2.5)
    again.restore(json.loads(json.dumps(parts.state())))
    again.learn(c[cut:], won[cut:], r[cut:])
    assert again.state() == whole.state()
    np.testing.assert_array_equal(again.predict(GRID), whole.predict(GRID))
    np.testing.assert_array_equal(again.predict_r(GRID), whole.predict_r(GRID))


def test_memory_is_bounded_and_numbers_stay_finite_for_ever():
    calibrator = Calibrator(CalibrationSettings(half_life=50), 2.5)  # rescales every 20,000 outcomes
    c, won, r = outcomes(4, 30_000)
    calibrator.learn(c[:100], won[:100], r[:100])
    size = len(json.dumps(calibrator.state()))
    calibrator.learn(c, won, r)
    assert calibrator.scale_ < 2.0**401
    assert len(json.dumps(calibrator.state())) < 1.5 * size
    late = Calibrator(CalibrationSettings(half_life=50), 2.5)
    late.learn(c[-5000:], won[-5000:], r[-5000:])
    np.testing.assert_allclose(calibrator.predict(GRID), late.predict(GRID), rtol=1e-9)


def test_nan_teaches_nothing_and_predicts_nan():
    calibrator = Calibrator(S, 2.5)
    nan = np.array([np.nan, 0.5])
    calibrator.learn(nan, np.array([True, True]), nan[::-1])
    assert calibrator.outcomes_ == 0
    np.testing.assert_array_equal(np.isnan(calibrator.predict(nan)), [True, False])
    assert calibrator.predict(np.zeros(0)).shape == (0,)


def test_reliability_by_hand():
    p = np.array([0.12, 0.18, 0.95, np.nan, 1.0])
    won = np.array([False, True, True, True, True])
    diagram = reliability(p, won)
    np.testing.assert_array_equal(diagram.count, [0, 2, 0, 0, 0, 0, 0, 0, 0, 2])
    np.testing.assert_allclose(diagram.predicted[[1, 9]], [0.15, 0.975])
    np.testing.assert_allclose(diagram.observed[[1, 9]], [0.5, 1.0])
    assert ece(p, won) == pytest.approx((0.35 * 2 + 0.025 * 2) / 4)
    assert brier(p, won) == pytest.approx((0.12**2 + 0.82**2 + 0.05**2) / 4)
    assert brier_skill(p, won) == pytest.approx(1 - brier(p, won) / (0.75 * 0.25))


def test_metrics_of_nothing_are_nan():
    nothing, none = np.zeros(0), np.zeros(0, bool)
    assert np.isnan([ece(nothing, none), brier(nothing, none), brier_skill(nothing, none)]).all()
    assert np.isnan(brier_skill(np.array([0.4]), np.array([True])))


@given(seed=st.integers(0, 1000))
def test_perfect_and_constant_predictions(seed):
    won = np.random.default_rng(seed).random(50) < 0.4
    won[:2] = True, False
    assert ece(won.astype(float), won) == 0.0
    assert brier_skill(won.astype(float), won) == 1.0
    assert brier_skill(np.full(50, won.mean()), won) == pytest.approx(0.0, abs=1e-12)
