"""How well scores tell winners from losers: AUC, log loss, mean R of the best. Pure functions on arrays."""

from __future__ import annotations

import numpy as np

from coordinator.types import Bools, Floats

__all__ = ["auc", "log_loss", "mean_r_of_top", "top_share"]

SMALLEST = 1e-12


def auc(score: Floats, won: Bools) -> float:
    """Chance that a winner scores above a loser, ties half (Mann-Whitney); NaN without both.

    Examples
    --------
    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    winners = int(won.sum())
    losers = len(won) - winners
    if not winners or not losers:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]  # equal scores share their mean rank
    return float((ranks[won].sum() - winners * (winners + 1) / 2) / (winners * losers))


def log_loss(p: Floats, y: Floats) -> float:
    """Mean cross-entropy in nats; labels may be soft. NaN without rows.

    Examples
    --------
    >>> round(log_loss(np.array([0.5, 0.5]), np.array([0.0, 1.0])), 4)
    0.6931
    """
    if not len(y):
        return float("nan")
    q = np.clip(p, SMALLEST, 1 - SMALLEST)
    return float(-(y * np.log(q) + (1 - y) * np.log(1 - q)).mean())


def top_share(score: Floats, share: float) -> Bools:
    """The best-scored share of the rows, at least one of them; among equal scores the earlier rows."""
    chosen = np.zeros(len(score), dtype=bool)
    if len(score):
        count = max(1, round(share * len(score)))
        chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen


def mean_r_of_top(score: Floats, r: Floats, share: float) -> float:
    """Mean R of the best-scored share; NaN without rows.

    Examples
    --------
    >>> mean_r_of_top(np.array([0.1, 0.9, 0.5, 0.2]), np.array([-1.0, 2.4, -1.1, -1.0]), 0.25)
    2.4
    """
    return float(r[top_share(score, share)].mean()) if len(r) else float("nan")
