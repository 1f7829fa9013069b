"""Gains by day blocks and their probabilities: against numpy and scipy, and that repeated looks are paid for."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from coordinator.decision.edge import Gain, edge_probability, gain_probability, mean_gain


def days_of(rng, days, per_day, shock, gain=0.0):
    """Counts and sums of two groups of outcomes a day, which share the day's luck."""
    luck = shock * rng.normal(size=days)[:, None]
    one, two = (luck + rng.normal(size=(days, per_day)) for _ in range(2))
    count = np.full(days, float(per_day))
    return count, (one + gain).sum(axis=1), count, two.sum(axis=1)


def test_the_gain_is_the_difference_of_the_means():
    count, total = np.array([1.0, 2.0, 0.0, 1.0]), np.array([1.0, 4.0, 0.0, -1.0])
    other_count, other_total = np.array([0.0, 1.0, 3.0, 0.0]), np.array([0.0, 1.0, -3.0, 0.0])
    assert mean_gain(count, total, other_count, other_total).mean == pytest.approx(4 / 4 - (-2 / 4))


@pytest.mark.parametrize("shock", [0.0, 2.0])
def test_the_error_is_the_spread_of_the_gain_over_many_samples(shock):
    """Of equal groups a day's luck cancels; of groups on days of their own it does not."""
    rng = np.random.default_rng(1)
    gains = [mean_gain(*days_of(rng, 60, 5, shock)) for _ in range(400)]
    assert np.std([g.mean for g in gains]) == pytest.approx(np.mean([g.error for g in gains]), rel=0.1)
    apart = []
    for _ in range(400):
        count, total, other_count, other_total = days_of(rng, 60, 5, shock)
        mine = np.arange(60) % 2 == 0
        apart.append(mean_gain(count * mine, total * mine, other_count * ~mine, other_total * ~mine))
    assert np.std([g.mean for g in apart]) == pytest.approx(np.mean([g.error for g in apart]), rel=0.1)


@pytest.mark.parametrize(
    ("count", "other"), [([0.0] * 4, [1.0] * 4), ([1.0] * 4, [0.0] * 4), ([1.0] * 2, [1.0] * 2)]
)
def test_nothing_is_known_of_an_empty_group_or_two_days(count, other):
    gain = mean_gain(*(np.array(x) for x in (count, count, other, other)))
    assert gain == Gain(0.0, math.inf)
    assert gain_probability(gain) == 0.5
    assert edge_probability(gain, 1 / 6, 0.2) == 1 / 6


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 1.0, 2.5, 6.0])
@pytest.mark.parametrize(("error", "scale"), [(0.05, 0.2), (0.3, 0.1)])
def test_the_posterior_is_that_of_a_spike_and_a_half_normal(z, error, scale):
    gain = Gain(z * error, error)
    slab = integrate.quad(
        lambda x: 2 * stats.norm.pdf(x, 0, scale) * stats.norm.pdf(gain.mean, x, error),
        0,
        12 * scale,
        points=[max(gain.mean, 0)],
    )[0]
    spike = stats.norm.pdf(gain.mean, 0, error)
    assert edge_probability(gain, 0.2, scale) == pytest.approx(
        0.2 * slab / (0.2 * slab + 0.8 * spike), rel=1e-5
    )
    assert gain_probability(gain) == pytest.approx(stats.norm.cdf(z))


def test_extremes_are_finite_and_without_a_jump():
    left, right = (edge_probability(Gain(x * 0.1, 0.1), 1 / 6, 1e6) for x in (-20.001, -19.999))
    assert left == pytest.approx(right, rel=1e-3)
    assert 0.0 < edge_probability(Gain(-50.0, 0.01), 1 / 6, 0.2) < 1e-5
    assert edge_probability(Gain(50.0, 0.01), 1 / 6, 0.2) == 1.0
    assert edge_probability(Gain(1.0, 0.0), 1 / 6, 0.2) == gain_probability(Gain(1.0, 0.0)) == 1.0
    assert edge_probability(Gain(0.0, 0.0), 1 / 6, 0.2) == 1 / 6


def test_without_an_edge_looking_often_convinces_in_one_of_twenty_runs_at_most():
    """A look every five days for two years; the same looks with the flat prior convince nearly always."""
    rng, runs = np.random.default_rng(7), 300
    convinced, flat = 0, 0
    for _ in range(runs):
        parts = days_of(rng, 730, 4, 1.0)
        gains = [mean_gain(*(part[:day] for part in parts)) for day in range(30, 730, 5)]
        convinced += any(edge_probability(gain, 1 / 6, 0.2) >= 0.8 for gain in gains)
        flat += any(gain_probability(gain) >= 0.8 for gain in gains)
    assert convinced / runs < 0.05
    assert flat / runs > 0.5


def test_an_edge_convinces():
    rng = np.random.default_rng(3)
    found = [
        edge_probability(mean_gain(*days_of(rng, 180, 12, 1.0, gain=0.15)), 1 / 6, 0.2) >= 0.8
        for _ in range(50)
    ]
    assert np.mean(found) > 0.9
