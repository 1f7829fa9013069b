"""Which of a candle's entries get the free slots: the best, whatever the order of the pair list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from coordinator.portfolio.guard import Position
from coordinator.portfolio.slot_terms import TAKE, take_probability

__all__ = ["Candidate", "allocate_slots", "divide_by_policy", "rank_candidates"]


class Candidate(NamedTuple):
    """An accepted signal that would like to be entered.

    Attributes
    ----------
    expected_r : R after costs (of several clocks: per day in the trade); NaN where nothing is calibrated yet
    confidence : 0..1
    slot_terms : the policy's that divides the slots (``portfolio.slot_terms``); empty where it says nothing
    """

    pair: str
    direction: int
    expected_r: float
    confidence: float
    slot_terms: tuple[float, ...] = ()


def rank_candidates(candidates: Iterable[Candidate]) -> list[Candidate]:
    """By expected R, then confidence, the best first; without an expectation last, ties by name.

    Examples
    --------
    >>> nan = float("nan")
    >>> numbers = {"A": (0.1, 0.7), "B": (0.2, 0.7), "C": (0.1, 0.9), "D": (nan, 1.0)}
    >>> [best.pair for best in rank_candidates(Candidate(pair, 1, *n) for pair, n in numbers.items())]
    ['B', 'C', 'A', 'D']
    """

    def key(candidate: Candidate) -> tuple[bool, float, float, str]:
        unknown = candidate.expected_r != candidate.expected_r
        expected_r = 0.0 if unknown else -candidate.expected_r
        return unknown, expected_r, -candidate.confidence, candidate.pair

    return sorted(candidates, key=key)


def divide_by_policy(
    candidates: Iterable[Candidate], state: tuple[float, float]
) -> tuple[list[Candidate], dict[str, float]] | None:
    """Those that the policy would take, the likeliest first, ties by name; and P(take) of those it leaves, by pair.

    None where it says nothing of one of them: then expected R ranks them all.

    Parameters
    ----------
    state : of the portfolio before the candle's first entry (``portfolio_state``)

    Examples
    --------
    >>> terms = {"A": (1.0, -4.0, 0.0), "B": (2.0, 0.0, 0.0), "C": (3.0, 0.0, 0.0)}
    >>> both = divide_by_policy([Candidate(pair, 1, 0.1, 0.7, t) for pair, t in terms.items()], (0.5, 0.0))
    >>> [best.pair for best in both[0]], {pair: round(take, 2) for pair, take in both[1].items()}
    (['C', 'B'], {'A': 0.27})
    """
    asked = sorted(candidates, key=lambda candidate: candidate.pair)
    if not asked or not all(candidate.slot_terms for candidate in asked):
        return None
    take = take_probability(np.array([candidate.slot_terms for candidate in asked]), state)
    order = np.argsort(-take, kind="stable").tolist()
    taken = [asked[i] for i in order if take[i] >= TAKE]
    return taken, {asked[i].pair: float(take[i]) for i in order if take[i] < TAKE}


def allocate_slots(
    ranked: Iterable[Candidate],
    held: Iterable[Position],
    free: int | None,
    refuses: Callable[[Candidate, list[Position]], bool],
) -> dict[str, int]:
    """Give the free slots to the best candidates that the limits let through, in their order.

    Parameters
    ----------
    ranked : the best first
    held : positions before this candle's entries
    free : slots; None for as many as there are candidates
    refuses : whether limits refuse a candidate beside the positions held and those that won before it

    Returns
    -------
    dict
        Each pair's rank from 1 among those that the limits let through: it wins where the rank is at most ``free``.
        Pairs that the limits refuse are absent. Losers are not held against others.

    Examples
    --------
    >>> three = [Candidate("C", 1, 0.3, 0.7), Candidate("B", 1, 0.2, 0.7), Candidate("A", 1, 0.1, 0.7)]
    >>> allocate_slots(three, [], 1, lambda candidate, held: candidate.pair == "C")
    {'B': 1, 'A': 2}
    """
    positions = list(held)
    ranks: dict[str, int] = {}
    for candidate in ranked:
        if refuses(candidate, positions):
            continue
        ranks[candidate.pair] = len(ranks) + 1
        if free is None or ranks[candidate.pair] <= free:
            positions.append(Position(candidate.pair, candidate.direction))
    return ranks
