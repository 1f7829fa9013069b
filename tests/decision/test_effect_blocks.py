"""Blocks of effects: what is one observation, the fresh ones, and the error of few."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from coordinator.decision.effect_blocks import EffectBlocks

DAY = 86400


def blocks_of(effects, days=10):
    """Each effect in a block of its own."""
    blocks = EffectBlocks(days)
    for i, effect in enumerate(effects):
        blocks.add(i * days * DAY, effect)
    return blocks


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=40))
def test_the_probability_is_students(effects):
    """A t test's, to a thousandth; from three blocks on."""
    found = blocks_of(effects).mean()
    if np.std(effects) < 1e-6:
        return
    p = stats.ttest_1samp(effects, 0.0, alternative="less").pvalue
    assert found.flat_probability() == pytest.approx(p, abs=0.012 if len(effects) < 5 else 0.003)


def test_two_blocks_say_nothing():
    found = blocks_of([1.0, 1.1]).mean()
    assert (found.gain.error, found.blocks, found.effects) == (math.inf, 2, 2)
    assert found.flat_probability() == 0.5


def test_a_block_begins_with_its_first_effect_and_ends_after_its_days():
    blocks = EffectBlocks(10)
    for day in (3.5, 12.9, 13.2, 40):
        blocks.add(int(day * DAY), 1.0)
    assert [row[:2] for row in blocks.state()["rows"]] == [[3 * DAY, 2], [13 * DAY, 1], [40 * DAY, 1]]


def test_fresh_effects_are_in_blocks_of_their_own():
    blocks = EffectBlocks(10)
    blocks.add(0, 1.0)
    blocks.begin_fresh(5 * DAY + 7)
    blocks.add(5 * DAY, -1.0)
    blocks.add(6 * DAY, -1.0)
    assert (blocks.mean(fresh=True).blocks, blocks.mean(fresh=True).effects) == (1, 2)
    assert (blocks.mean().blocks, blocks.mean().effects) == (2, 3)


@given(st.floats(-1, 1), st.integers(0, 99))
def test_harm_is_the_gain_of_the_negated_effects(mean, seed):
    effects = np.random.default_rng(seed).normal(mean, 1.0, 12)
    found, negated = blocks_of(effects.tolist()).mean(), blocks_of((-effects).tolist()).mean()
    assert found.harm_probability(0.2, 0.1) == negated.gain_probability(0.2, 0.1)
    assert found.flat_probability() == pytest.approx(1.0 - negated.flat_probability())
