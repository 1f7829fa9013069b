"""Ranking: by expected R, then confidence; limits in that order; the order of asking decides nothing."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from coordinator.portfolio.guard import Position
from coordinator.portfolio.ranking import Candidate, allocate_slots, rank_candidates

NAMES = "ABCDEFGH"
NUMBER = st.floats(-1, 1) | st.just(float("nan"))
FIELDS = st.lists(st.tuples(NUMBER, st.floats(0, 1), st.sampled_from([1, -1])), min_size=1, max_size=8)


def candidates(fields):
    return [Candidate(NAMES[i], side, r, c) for i, (r, c, side) in enumerate(fields)]


@given(FIELDS, st.randoms(use_true_random=False))
def test_the_order_in_which_they_come_decides_nothing(fields, rng: random.Random):
    shown = candidates(fields)
    mixed = rng.sample(shown, len(shown))
    assert [x.pair for x in rank_candidates(shown)] == [x.pair for x in rank_candidates(mixed)]


@given(FIELDS)
def test_a_better_expectation_comes_first_then_confidence(fields):
    found = rank_candidates(candidates(fields))
    for one, two in pairwise(found):
        known = one.expected_r == one.expected_r, two.expected_r == two.expected_r
        assert known != (False, True)
        if all(known):
            assert (one.expected_r, one.confidence) >= (two.expected_r, two.confidence)
        elif not any(known):
            assert one.confidence >= two.confidence


@given(FIELDS, st.integers(0, 8), st.sets(st.sampled_from(NAMES)))
def test_slots_go_to_the_best_that_the_limits_let_through(fields, free, refused):
    shown = candidates(fields)
    seen = []

    def refuses(x, held):
        seen.append((x.pair, [position.pair for position in held]))
        return x.pair in refused

    ranks = allocate_slots(rank_candidates(shown), [Position("held", 1)], free, refuses)
    through = [x.pair for x in rank_candidates(shown) if x.pair not in refused]
    assert ranks == {pair: i + 1 for i, pair in enumerate(through)}
    winners = through[:free]
    for pair, held in seen:  # each is asked beside what is held and the winners before it, no one else
        before = [x for x in winners if x in through[: through.index(pair)]] if pair in through else None
        assert held[0] == "held"
        if before is not None:
            assert held[1:] == before
