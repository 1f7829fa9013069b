"""The probability of backtest overfitting: how often the best of many trials is below the middle on other days.

Combinatorially symmetric cross-validation (CSCV) of Bailey, Borwein, Lopez de Prado and Zhu, The probability of
backtest overfitting, Journal of Computational Finance 20 (4), 2017: the days are cut into blocks, and for every way
to take half of the blocks, the trial that is best there is looked up among all trials on the other half.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCKS", "Overfitting", "backtest_overfitting"]

Floats = npt.NDArray[np.float64]

BLOCKS = 16  # as the paper has it: 12,870 ways to halve
MIN_BLOCK = 10  # days in which a Sharpe ratio begins to mean something
TIE = 12  # digits: equal trials stay equal whatever the order of a sum


@dataclass(frozen=True)
class Overfitting:
    """What cross-validation says about picking the best trial.

    Attributes
    ----------
    probability : float
        PBO, 0..1: share of the ways to halve the days in which the best of one half is not above the median of the
        other. About one half where no trial differs from another but by luck; NaN where it cannot be told.
    loss : float
        Share of the ways in which the best of one half loses money on the other, 0..1; NaN likewise.
    logits : numpy.ndarray
        Shape (ways,): log odds of the winner's relative rank on the other half; 0 is the median.
    blocks, days, trials : int
        What it was computed from.
    """

    probability: float
    loss: float
    logits: Floats
    blocks: int
    days: int
    trials: int


def backtest_overfitting(returns: Floats, blocks: int | None = None) -> Overfitting:
    """PBO of the trials' daily returns, by their Sharpe ratios.

    Parameters
    ----------
    returns : numpy.ndarray
        Shape (days, trials), ratios, the days in time order and the same for all trials; no NaN. The oldest days
        are left out where they do not fill the blocks.
    blocks : int, optional
        Even, 2 or more; 16, or as many as leave ten days in each.

    Returns
    -------
    Overfitting
        Of NaN with fewer than two trials or twenty days. A half without any return has a Sharpe ratio of 0.

    Raises
    ------
    ValueError
        If ``blocks`` is odd or below 2, or a return is not finite.

    Examples
    --------
    >>> skill = np.random.default_rng(0).normal(0, 0.01, (320, 20)) + np.linspace(0, 0.01, 20)
    >>> backtest_overfitting(skill).probability
    0.0
    """
    days, trials = returns.shape
    if not np.isfinite(returns).all():
        raise ValueError("returns must be finite")
    if blocks is None:
        blocks = min(BLOCKS, days // MIN_BLOCK // 2 * 2)
    elif blocks < 2 or blocks % 2:
        raise ValueError(f"blocks must be even and 2 or more, not {blocks}")
    if trials < 2 or blocks < 2 or days < 2 * blocks:
        return Overfitting(float("nan"), float("nan"), np.zeros(0), max(blocks, 0), days, trials)
    rows = days // blocks
    cut = returns[days - rows * blocks :].reshape(blocks, rows, trials)
    chosen = np.zeros((len(list(combinations(range(blocks), blocks // 2))), blocks))
    for way, members in enumerate(combinations(range(blocks), blocks // 2)):
        chosen[way, list(members)] = 1.0
    inside, outside = _sharpes(chosen, cut), _sharpes(1.0 - chosen, cut)
    ways = np.arange(len(chosen))
    winner = inside.argmax(axis=1)
    won = outside[ways, winner][:, None]
    # The average rank of equals, from 1 for the worst, as the paper's w = rank / (N + 1).
    rank = (outside < won).sum(axis=1) + ((outside == won).sum(axis=1) + 1) / 2
    share = rank / (trials + 1)
    logits = np.log(share / (1 - share))
    return Overfitting(
        probability=float((logits <= 0).mean()),
        loss=float((won[:, 0] < 0).mean()),
        logits=logits,
        blocks=blocks,
        days=rows * blocks,
        trials=trials,
    )


def _sharpes(chosen: Floats, cut: Floats) -> Floats:
    """Sharpe ratios per day, shape (ways, trials), of the chosen blocks, shape (ways, blocks), taken together."""
    count = chosen.sum(axis=1, keepdims=True) * cut.shape[1]
    mean = chosen @ cut.sum(axis=1) / count
    # About the trial's own mean, so that the difference of two sums loses no digits.
    centre = cut.mean(axis=(0, 1))
    squares = chosen @ ((cut - centre) ** 2).sum(axis=1)
    variance = np.maximum(squares - count * (mean - centre) ** 2, 0.0) / (count - 1)
    flat = variance < 1e-20
    ratios: Floats = np.where(flat, 0.0, mean / np.sqrt(np.where(flat, 1.0, variance)))
    return ratios.round(TIE)
