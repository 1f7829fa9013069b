"""PBO against an independent implementation in the way of esvhd/pypbo, and on made-up trials."""

from itertools import combinations

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import rankdata

from coordinator.reports.overfitting import backtest_overfitting


def sharpes(returns):
    spread = returns.std(axis=0, ddof=1)
    flat = spread < 1e-10
    return np.where(flat, 0.0, returns.mean(axis=0) / np.where(flat, 1.0, spread))


def published(returns, blocks):
    """pypbo's steps, way by way: join the blocks, rank both halves, look the winner up, logit of rank / (N + 1)."""
    returns = returns[len(returns) % blocks :]
    parts = np.split(returns, blocks)
    logits = []
    for inside in combinations(range(blocks), blocks // 2):
        outside = [i for i in range(blocks) if i not in inside]
        ranks_inside = rankdata(np.round(sharpes(np.concatenate([parts[i] for i in inside])), 12))
        ranks_outside = rankdata(np.round(sharpes(np.concatenate([parts[i] for i in outside])), 12))
        logits.append(logit(ranks_outside[np.argmax(ranks_inside)] / (returns.shape[1] + 1)))
    return float(np.mean(np.array(logits) <= 0)), np.array(logits)


@pytest.mark.parametrize(
    ("days", "trials", "blocks", "edge"),
    [(240, 12, 8, 0.0), (247, 9, 10, 0.0), (160, 25, 8, 0.002), (120, 2, 6, 0.0), (200, 7, 2, 0.001)],
)
def test_it_agrees_with_the_published_way(days, trials, blocks, edge):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        returns = rng.normal(0, 0.01, (days, trials)) + edge * rng.normal(size=trials)
        found = backtest_overfitting(returns, blocks)
        expected, logits = published(returns, blocks)
        assert found.probability == pytest.approx(expected, abs=1e-12)
        np.testing.assert_allclose(found.logits, logits, atol=1e-9)


def test_equal_trials_and_ones_that_never_traded_share_their_ranks():
    rng = np.random.default_rng(3)
    returns = rng.normal(0, 0.01, (160, 8))
    returns[:, 5] = returns[:, 2]
    returns[:, 6:] = 0.0
    expected, logits = published(returns, 8)
    found = backtest_overfitting(returns, 8)
    assert found.probability == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(found.logits, logits, atol=1e-9)


def test_noise_is_one_half():
    found = [
        backtest_overfitting(np.random.default_rng(seed).normal(0, 0.01, (320, 20)), 8).probability
        for seed in range(200)
    ]
    # Ways of one matrix depend on each other: the mean of 200 has a standard error of about .02.
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_an_edge_is_found_and_one_that_turns_is_called_overfitting():
    rng = np.random.default_rng(0)
    returns = rng.normal(0, 0.01, (320, 20))
    assert backtest_overfitting(returns + np.linspace(0, 0.01, 20)).probability == 0
    turning = returns.copy()
    for block in range(16):
        turning[block * 20 : block * 20 + 20, block] += 0.05  # each trial shines in one block only
    assert backtest_overfitting(turning).probability > 0.7


def test_blocks_shrink_with_the_days_and_too_little_is_no_answer():
    rng = np.random.default_rng(0)
    assert backtest_overfitting(rng.normal(0, 0.01, (300, 4))).blocks == 16
    assert backtest_overfitting(rng.normal(0, 0.01, (75, 4))).blocks == 6
    assert np.isnan(backtest_overfitting(rng.normal(0, 0.01, (300, 1))).probability)
    assert np.isnan(backtest_overfitting(rng.normal(0, 0.01, (19, 5))).probability)


@pytest.mark.parametrize("blocks", [0, 3, -2])
def test_blocks_that_cannot_be_halved_are_refused(blocks):
    with pytest.raises(ValueError, match="even"):
        backtest_overfitting(np.zeros((100, 3)), blocks)
    with pytest.raises(ValueError, match="finite"):
        backtest_overfitting(np.full((100, 3), np.nan))
