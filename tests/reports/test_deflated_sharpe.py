"""The deflated Sharpe ratio against its published parts and simulated variants."""

import numpy as np
import pandas as pd
import pytest

from coordinator.reports.deflated_sharpe import deflated_sharpe, expected_best, probability_above


def account(returns):
    return pd.Series(100 * np.cumprod(1 + np.r_[0.0, returns]))


def test_the_best_of_many_without_skill_is_about_as_good_as_expected():
    rng = np.random.default_rng(0)
    best = [rng.normal(0, 0.4, 50).max() for _ in range(4000)]
    assert expected_best(50, 0.4) == pytest.approx(np.mean(best), rel=0.02)


def test_one_trial_is_the_probabilistic_sharpe_ratio():
    returns = np.random.default_rng(1).normal(0.001, 0.02, 1000)
    ratio = returns.mean() / returns.std(ddof=1)
    chance = deflated_sharpe(account(returns), 1, 0.5)
    from statistics import NormalDist

    # For normal returns the error is close to the root of (1 + ratio ** 2 / 2) / n.
    assert chance == pytest.approx(NormalDist().cdf(ratio * 999**0.5 / (1 + ratio**2 / 2) ** 0.5), abs=0.01)


def test_more_trials_make_it_less_sure_and_luck_alone_is_half():
    returns = np.random.default_rng(2).normal(0.001, 0.02, 1000)
    chances = [deflated_sharpe(account(returns), trials, 0.5) for trials in (1, 10, 100, 1000)]
    assert chances == sorted(chances, reverse=True)
    bar = expected_best(100, 0.5)
    lucky = returns - returns.mean() + bar / 365**0.5 * returns.std(ddof=1)
    assert deflated_sharpe(account(lucky), 100, 0.5) == pytest.approx(0.5, abs=0.01)


def test_without_returns_there_is_none():
    assert np.isnan(deflated_sharpe(account(np.zeros(50)), 10, 0.5))
    assert np.isnan(deflated_sharpe(account(np.ones(3) * 0.01), 10, 0.5))


def test_the_papers_worked_example():
    """Bailey and Lopez de Prado 2014: 2.5 a year, 100 trials with a variance of 1/2, five years of 250 days."""
    bar = expected_best(100, (0.5 / 250) ** 0.5)
    assert bar == pytest.approx(0.1132, abs=5e-5)
    assert probability_above(bar, 2.5 / 250**0.5, 1250, -3, 10) == pytest.approx(0.9004, abs=5e-5)


def test_an_account_gets_what_its_moments_give():
    returns = np.random.default_rng(5).standard_t(4, 1500) * 0.01 + 0.0005
    off = (returns - returns.mean()) / returns.std()
    ratio = returns.mean() / returns.std(ddof=1)
    bar = expected_best(40, 0.6) / 365**0.5
    expected = probability_above(bar, ratio, 1500, float(np.mean(off**3)), float(np.mean(off**4)))
    assert deflated_sharpe(account(returns), 40, 0.6) == pytest.approx(expected, abs=1e-9)
