"""The fold and ML's phases: which it decides in, who got the blend, and what counts as evidence."""

from dataclasses import replace

import numpy as np
import pytest

from coordinator.decision.blending.review import PHASES
from coordinator.decision.decisions import REJECTIONS
from coordinator.decision.fold import Fold
from coordinator.decision.voting import Votes
from coordinator.settings import Settings

DEFAULT = Settings()


def test_the_phase_is_that_of_earned_weights_and_none_where_they_are_fixed(tables):
    table = tables(3, n=200)
    fixed = DEFAULT.model_copy(
        update={"decision": DEFAULT.decision.model_copy(update={"weighting": "fixed", "ml_weight": 0.7})}
    )
    assert set(Fold(fixed).run(table).phase) == {-1}
    blending = DEFAULT.blending.model_copy(update={"start_phase": "expansion"})
    earned = Fold(DEFAULT.model_copy(update={"blending": blending})).run(table)
    assert set(earned.phase) == {PHASES.index("expansion")}
    assert set(earned.arm) == {-1}


def test_in_the_pilot_phase_the_arm_says_which_signals_got_the_blend(tables):
    table = tables(3, n=300, days=20, absent=0.0)
    blending = DEFAULT.blending.model_copy(update={"start_phase": "pilot"})
    out = Fold(DEFAULT.model_copy(update={"blending": blending})).run(table)
    assert set(out.phase) == {PHASES.index("pilot")}
    np.testing.assert_array_equal(out.arm, np.where(out.ml_weight > 0, 1, 0))
    assert 10 < out.arm.sum() < 60  # a tenth


@pytest.mark.parametrize(("criterion", "counts"), [("accuracy", True), ("r", False)])
def test_what_is_barred_is_no_evidence_of_mls_say_in_r_but_an_answer_all_the_same(tables, criterion, counts):
    table = tables(4, n=800)
    barred = np.where(np.arange(len(table)) % 4 == 0, REJECTIONS.index("against the market"), 0)
    blending = DEFAULT.blending.model_copy(update={"criterion": criterion, "start_phase": "shadow"})
    chosen = DEFAULT.model_copy(update={"blending": blending})
    one, other = Fold(chosen), Fold(chosen)
    free, held = one.run(table), other.run(replace(table, barred=barred))
    np.testing.assert_array_equal(held.ml_rank, free.ml_rank)
    assert (one.learners.manager.state() == other.learners.manager.state()) == counts


def test_a_pairs_first_signal_has_the_rank_that_the_uniform_prior_gives_it(tables):
    """From 0 to 1 for the baseline and signal quality; votes that may be against the signal lie between -1 and 1."""
    table = tables(3, n=300, absent=0.0)
    quality = np.random.default_rng(5).uniform(size=len(table))
    votes = {**table.votes, "quality": Votes.in_favour(table.direction, quality)}
    out = Fold(DEFAULT).run(replace(table, votes=votes))
    first = np.unique(table.pair, return_index=True)[1]
    np.testing.assert_allclose(out.of("quality")[first], quality[first])
    np.testing.assert_allclose(out.of("technical")[first], table.votes["technical"].confidence[first])
    for name in ("lstm", "fusion"):
        backing = table.direction * table.votes[name].score
        np.testing.assert_allclose(out.of(name)[first], (backing[first] + 1) / 2)
