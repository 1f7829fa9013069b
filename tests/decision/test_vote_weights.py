"""Hedge on the ML components: the formula, its floor, and as a learner."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.vote_weights import VoteWeights
from coordinator.decision.voting import ML_COMPONENTS, ml_weights
from coordinator.settings.decision import DecisionSettings
from coordinator.settings.learners import VoteWeightSettings

S = VoteWeightSettings(learning_rate=0.05)
START = ml_weights(DecisionSettings(quality_mode="replace"))  # quality has no part in this vote


def rounds(seed, n=60, absent=0.2):
    rng = np.random.default_rng(seed)
    percentile = np.where(rng.random((n, 5)) < absent, np.nan, rng.random((n, 5)))
    return percentile, rng.random(n) < 0.35


def test_starts_at_the_documented_proportions():
    fresh = VoteWeights(S, START)
    documented = {"lstm": 0.25, "fusion": 0.20, "selector": 0.15, "attention": 0.10, "quality": 0.0}
    assert fresh.weights == pytest.approx({name: weight / 0.7 for name, weight in documented.items()})
    voting = VoteWeights(S, ml_weights(DecisionSettings()))  # quality's 30 % beside the others' 70 %
    assert voting.weights == pytest.approx({**documented, "quality": 0.3})
    assert tuple(fresh.weights) == ML_COMPONENTS


def test_one_round_is_the_documented_formula():
    learner = VoteWeights(VoteWeightSettings(learning_rate=0.5), START)
    learner.learn(np.array([[0.9, 0.5, 0.2, 0.6, 0.5]]), np.array([True]))
    losses = [0.1, 0.5, 0.8, 0.4, 0.5]
    raw = [w * math.exp(-0.5 * x) for w, x in zip((0.25, 0.20, 0.15, 0.10, 0.0), losses, strict=True)]
    np.testing.assert_allclose(learner.weights_, np.array(raw) / sum(raw), rtol=1e-12)


def test_a_rate_of_zero_keeps_the_documented_weights():
    learner = VoteWeights(VoteWeightSettings(learning_rate=0.0), START)
    learner.learn(*rounds(1))
    assert learner.state() == VoteWeights(S, START).state()


def test_the_better_component_wins_and_the_worst_keeps_the_floor():
    rng = np.random.default_rng(0)
    learner = VoteWeights(S, START)
    for _ in range(100):
        won = rng.random(20) < 0.35
        percentile = rng.random((20, 5))
        percentile[:, 3] = np.where(won, rng.uniform(0.4, 1, 20), rng.uniform(0, 0.6, 20))
        learner.learn(percentile, won)
    assert learner.weights["attention"] == pytest.approx(0.85)
    assert min(learner.weights[name] for name in learner.weights if name != "quality") == pytest.approx(0.05)


def test_a_component_that_turns_good_comes_back():
    learner = VoteWeights(S, START)
    good, bad = np.array([[0.9, 0.1, 0.5, 0.5, 0.5]] * 20), np.array([[0.1, 0.9, 0.5, 0.5, 0.5]] * 20)
    for _ in range(50):
        learner.learn(good, np.ones(20, bool))
    assert learner.weights["fusion"] == pytest.approx(0.05)
    for _ in range(8):
        learner.learn(bad, np.ones(20, bool))
    assert learner.weights["fusion"] > 0.5


def test_an_absent_component_keeps_its_share():
    learner = VoteWeights(VoteWeightSettings(learning_rate=0.5), START)
    learner.learn(np.array([[0.9, 0.2, np.nan, 0.5, 0.5]]), np.array([True]))
    # The mixture's loss against the mixture's gain: equal to first order in the rate (Jensen's gap of Hedge).
    assert learner.weights["selector"] == pytest.approx(0.15 / 0.7, rel=0.01)
    assert learner.weights["lstm"] > 0.25 / 0.7
    assert learner.weights["fusion"] < 0.20 / 0.7


def test_nobody_present_teaches_nothing():
    learner = VoteWeights(S, START)
    learner.learn(np.full((5, 5), np.nan), np.ones(5, bool))
    np.testing.assert_allclose(learner.weights_, VoteWeights(S, START).weights_, rtol=1e-15)


def test_a_component_without_a_documented_weight_stays_out():
    learner = VoteWeights(S, {**START, "fusion": 0.0})
    learner.learn(*rounds(3))
    assert learner.weights["fusion"] == 0.0
    assert sum(learner.weights.values()) == pytest.approx(1.0)


def test_shares_are_renormalised_over_those_present():
    learner = VoteWeights(S, START)
    nan = float("nan")
    percentile = np.array([[0.9, 0.5, 0.4, 0.2, 0.0], [0.9, nan, 0.4, nan, 0.3], [nan] * 5])
    mean, shares = learner.predict(percentile)
    assert mean[0] == pytest.approx(float(percentile[0] @ learner.weights_))
    assert mean[1] == pytest.approx((0.25 * 0.9 + 0.15 * 0.4) / 0.40)
    assert np.isnan(mean[2])
    np.testing.assert_allclose(shares, [learner.weights_, [0.625, 0.0, 0.375, 0.0, 0.0], [0.0] * 5])


@given(seed=st.integers(0, 10_000), n=st.integers(0, 400), rate=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_weights_are_shares_above_the_floor(seed, n, rate):
    learner = VoteWeights(VoteWeightSettings(learning_rate=rate), START)
    learner.learn(*rounds(seed, n))
    assert sum(learner.weights_) == pytest.approx(1.0)
    assert min(learner.weights_[:-1]) >= 0.05 - 1e-12
    before = json.dumps(learner.state())
    learner.predict(np.ones((3, 5)))
    assert json.dumps(learner.state()) == before


@given(seed=st.integers(0, 10_000), p=st.floats(0, 1), q=st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_a_smaller_loss_never_earns_less(seed, p, q):
    percentile, won = rounds(seed, 1, absent=0.0)
    weights = []
    for value in sorted((p, q)):
        percentile[0, 1] = value
        learner = VoteWeights(S, START)
        learner.learn(percentile, won)
        weights.append(learner.weights["fusion"])
    assert weights[1] >= weights[0] if won[0] else weights[1] <= weights[0]


@given(seed=st.integers(0, 10_000), cut=st.integers(0, 60))
@settings(max_examples=50, deadline=None)
def test_chunks_of_full_rounds_change_rounding_only(seed, cut):
    percentile, won = rounds(seed, absent=0.0)
    free = VoteWeightSettings(floor=0.0)
    whole, parts = VoteWeights(free, START), VoteWeights(free, START)
    whole.learn(percentile, won)
    parts.learn(percentile[:cut], won[:cut])
    parts.learn(percentile[cut:], won[cut:])
    np.testing.assert_allclose(parts.weights_, whole.weights_, rtol=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_a_restart_changes_no_bit(seed):
    one, two = VoteWeights(S, START), VoteWeights(S, START)
    one.learn(*rounds(seed))
    two.restore(json.loads(json.dumps(one.state())))
    assert two.weights_ == one.weights_
    for learner in (one, two):
        learner.learn(*rounds(seed + 1))
    assert two.weights_ == one.weights_


def test_having_no_opinion_earns_nothing():
    """The control: against noise, a component that always says .5 must not win (a squared loss would let it)."""
    shares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        learner = VoteWeights(VoteWeightSettings(), START)
        for _ in range(200):
            percentile = rng.random((20, 5))
            percentile[:, 2] = 0.5
            learner.learn(percentile, rng.random(20) < 0.28)
        shares.append(learner.weights_[2])
    start = START["selector"] / sum(START.values())
    assert abs(np.mean(shares) - start) < 0.04
