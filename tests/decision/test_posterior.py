"""The posteriors against scipy, by hand and by simulation."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import norm

from coordinator.decision.blending.evidence import DayResults, summarise_days
from coordinator.decision.blending.manager import MLWeightManager
from coordinator.decision.blending.posterior import (
    accuracy_exceeds,
    design_effect,
    max_drawdown,
    sharpe,
    sharpe_exceeds,
)
from coordinator.settings.blending import BlendingSettings

S = BlendingSettings(criterion="accuracy")
DAY = 86400


@given(right=st.floats(0, 2000), wrong=st.floats(0, 2000), bar=st.floats(0.01, 0.99))
@settings(deadline=None)
def test_the_beta_tail_is_scipys(right, wrong, bar):
    expected = 1 - betainc(1 + right, 1 + wrong, bar)
    assert accuracy_exceeds(right, wrong, bar) == pytest.approx(expected, abs=1e-9)


@given(right=st.integers(0, 300), wrong=st.integers(0, 300), bar=st.floats(0.3, 0.7))
@settings(deadline=None)
def test_one_more_right_answer_makes_surer(right, wrong, bar):
    assert accuracy_exceeds(right + 1, wrong, bar) >= accuracy_exceeds(right, wrong, bar) - 1e-12
    assert accuracy_exceeds(right, wrong + 1, bar) <= accuracy_exceeds(right, wrong, bar) + 1e-12


def test_every_accuracy_exceeds_none_and_none_exceeds_all():
    assert accuracy_exceeds(3, 5, 0.0) == 1.0
    assert accuracy_exceeds(3, 5, 1.0) == 0.0


def test_memmels_formula_by_hand():
    x, y = np.array([2.0, -1.0, 1.0, 0.0, 3.0, -2.0]), np.array([1.0, -2.0, 2.0, -1.0, 1.0, 0.0])
    a, b = x.mean() / x.std(ddof=1), y.mean() / y.std(ddof=1)
    rho = np.corrcoef(x, y)[0, 1]
    variance = (2 - 2 * rho + 0.5 * (a**2 + b**2 - 2 * a * b * rho**2)) / 6
    assert sharpe(x) == pytest.approx(a)
    assert sharpe_exceeds(x, y) == pytest.approx(norm.cdf((a - b) / np.sqrt(variance)))


def test_sharpe_probabilities_are_honest():
    """On equal strategies P > .8 comes about in a fifth of the samples."""
    rng = np.random.default_rng(0)
    p = [
        sharpe_exceeds(x, 0.5 * x + y)
        for x, y in (rng.normal(0.1, 1, (2, 30)) + np.array([[0.0], [0.0125]]) for _ in range(2000))
    ]
    assert np.mean(np.array(p) > 0.8) == pytest.approx(0.2, abs=0.05)


@given(seed=st.integers(0, 1000), share=st.floats(0.5, 1))
def test_the_bar_lies_below_winning_and_losing_baselines_alike(seed, share):
    x, y = np.random.default_rng(seed).normal(size=(2, 30))
    bar = sharpe(y) - (1 - share) * abs(sharpe(y))
    assert (sharpe_exceeds(x, y, share) > 0.5) == (sharpe(x) > bar)


def test_a_losing_baselines_bar_lies_a_fifth_below_it():
    """Of a Sharpe ratio of 1 the bar is 0.8, of -1 it is -1.2."""
    x, y = np.random.default_rng(1).normal(size=(2, 30))
    x, y = (x - x.mean()) / x.std(ddof=1), (y - y.mean()) / y.std(ddof=1)
    for baseline, bar in ((1.0, 0.8), (-1.0, -1.2)):
        assert sharpe_exceeds(x + bar + 0.01, y + baseline, 0.8) > 0.5
        assert sharpe_exceeds(x + bar - 0.01, y + baseline, 0.8) < 0.5


def test_without_spread_nothing_is_known():
    assert sharpe_exceeds(np.zeros(30), np.ones(30)) == 0.5
    assert sharpe_exceeds(np.array([1.0, 2.0]), np.array([2.0, 1.0])) == 0.5
    assert sharpe(np.zeros(0)) == 0.0
    empty = summarise_days([], S)
    assert (empty.outcomes, empty.mean_ml, empty.drawdown_ml) == (0, 0.0, 0.0)
    assert np.isnan(empty.accuracy)
    json.dumps(MLWeightManager(S, 0.7).state(), allow_nan=False)


def test_design_effect_and_drawdown():
    assert design_effect([5, 5, 5, 5], [10, 10, 10, 10]) == 1.0
    assert design_effect([10, 0, 10, 0], [10, 10, 10, 10]) == 10.0
    assert design_effect([], []) == design_effect([3], [3]) == 1.0
    assert max_drawdown(np.array([-1.0, -2.0, 5.0, -1.0])) == 3.0
    assert max_drawdown(np.zeros(0)) == 0.0


def test_each_accuracy_is_held_against_its_own_bar_and_each_sharpe_against_its_own_share():
    rng = np.random.default_rng(2)
    days = [
        DayResults(i * DAY, 20, 11 - i % 2, ml, base)
        for i, (ml, base) in enumerate(rng.normal((0.9, 1.2), 2.0, (30, 2)))
    ]
    e = summarise_days(days, S)
    assert (e.outcomes, e.days, e.right, e.accuracy) == (600, 30, 315, 0.525)
    tails = [1 - betainc(316, 286, bar) for bar in (0.55, 0.50, 0.45)]
    np.testing.assert_allclose([e.p_bar, e.p_floor, e.p_breaker], tails, atol=1e-9)
    ml, base = np.array([(day.ml, day.baseline) for day in days]).T
    shares = [sharpe_exceeds(ml, base, share) for share in (1.0, 0.9, 0.8)]
    assert [e.p_sharpe, e.p_sharpe_step, e.p_sharpe_cut] == shares
    assert (e.mean_ml, e.mean_baseline) == (pytest.approx(ml.mean()), pytest.approx(base.mean()))
    assert (e.drawdown_ml, e.drawdown_baseline) == (max_drawdown(ml), max_drawdown(base))
    assert (e.sharpe_ml, e.sharpe_baseline) == (sharpe(ml), sharpe(base))
