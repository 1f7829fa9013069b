"""Which of a candle's entries get the free slots: the best, whatever the order of the pair list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from coordinator.portfolio.guard import Position

__all__ = ["Candidate", "allot", "ranked"]


class Candidate(NamedTuple):
    """An accepted signal that would like to be entered.

    Attributes
    ----------
    expected_r : R after costs; NaN where nothing is calibrated yet
    confidence : 0..1
    """

    pair: str
    direction: int
    expected_r: float
    confidence: float


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """By expected R, then confidence, the best first; without an expectation last, ties by name.

    Examples
    --------
    >>> nan = float("nan")
    >>> numbers = {"A": (0.1, 0.7), "B": (0.2, 0.7), "C": (0.1, 0.9), "D": (nan, 1.0)}
    >>> [x.pair for x in ranked(Candidate(pair, 1, *found) for pair, found in numbers.items())]
    ['B', 'C', 'A', 'D']
    """

    def key(x: Candidate) -> tuple[bool, float, float, str]:
        unknown = x.expected_r != x.expected_r
        return unknown, 0.0 if unknown else -x.expected_r, -x.confidence, x.pair

    return sorted(candidates, key=key)


def allot(
    candidates: Iterable[Candidate],
    held: Iterable[Position],
    free: int | None,
    refuses: Callable[[Candidate, list[Position]], bool],
) -> dict[str, int]:
    """Give the free slots to the best candidates that the limits let through, in their order.

    Parameters
    ----------
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
    >>> two = [Candidate("A", 1, 0.1, 0.7), Candidate("B", 1, 0.2, 0.7), Candidate("C", 1, 0.3, 0.7)]
    >>> allot(two, [], 1, lambda x, held: x.pair == "C")
    {'B': 1, 'A': 2}
    """
    positions = list(held)
    ranks: dict[str, int] = {}
    for x in ranked(candidates):
        if refuses(x, positions):
            continue
        ranks[x.pair] = len(ranks) + 1
        if free is None or ranks[x.pair] <= free:
            positions.append(Position(x.pair, x.direction))
    return ranks
