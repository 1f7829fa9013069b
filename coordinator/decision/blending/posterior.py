"""How sure one can be: accuracy above a bar, one Sharpe ratio above another. Pure functions of small samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from coordinator.types import Floats

__all__ = ["accuracy_exceeds", "design_effect", "max_drawdown", "sharpe", "sharpe_exceeds"]

TINY, ENOUGH, MOST_STEPS = 1e-300, 1e-12, 500


def accuracy_exceeds(right: float, wrong: float, bar: float) -> float:
    """P(accuracy > bar) after so many right and wrong answers, from a uniform prior.

    Parameters
    ----------
    right, wrong : float
        Counts, >= 0; fractions are allowed (see ``design_effect``).
    bar : float
        0..1.

    Returns
    -------
    float
        1 - I_bar(1 + right, 1 + wrong), the upper tail of the beta posterior.

    Examples
    --------
    >>> round(accuracy_exceeds(0, 0, 0.55), 3)
    0.45
    >>> round(accuracy_exceeds(60, 40, 0.55), 3)
    0.839
    """
    return 1.0 - _incomplete_beta(1.0 + right, 1.0 + wrong, bar)


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b) (Abramowitz and Stegun 26.5.8)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1.0) / (a + b + 2.0):  # the fraction converges quickly on the other side only
        return 1.0 - _incomplete_beta(b, a, 1.0 - x)
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(front) / (a * _continued_fraction(a, b, x))


def _continued_fraction(a: float, b: float, x: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)) by Lentz's method."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, MOST_STEPS):
        m, odd = divmod(step, 2)
        if odd:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / (1.0 + term * d or TINY)
        c = 1.0 + term / c or TINY
        value *= c * d
        if abs(c * d - 1.0) < ENOUGH:
            break
    return value


def design_effect(right: Sequence[float], count: Sequence[float]) -> float:
    """By how much outcomes that move together shrink a sample: n outcomes are worth n / design effect.

    Pairs win and lose on the same days. The spread of the days' right answers over what independent answers
    would give (Kish 1965), never below 1.

    Parameters
    ----------
    right, count : sequence of float
        Right answers and answers of each day.

    Examples
    --------
    >>> design_effect([10, 0, 10, 0], [10, 10, 10, 10])  # each day is one answer given ten times
    10.0
    """
    n = sum(count)
    p = sum(right) / n if n else 0.0
    expected = n * p * (1.0 - p)
    if expected <= 0.0:
        return 1.0
    return max(1.0, sum((r - c * p) ** 2 for r, c in zip(right, count, strict=True)) / expected)


def sharpe(profit: Floats) -> float:
    """Mean over standard deviation of the days' profits (not annualised); 0 where there is no spread."""
    if len(profit) < 2:
        return 0.0
    deviation = float(profit.std(ddof=1))
    return float(profit.mean()) / deviation if deviation > 0.0 else 0.0


def sharpe_exceeds(ml: Floats, baseline: Floats, share: float = 1.0) -> float:
    """P(Sharpe of ml > share x Sharpe of baseline) from the same days.

    Jobson and Korkie (1981) as corrected by Memmel (2003), with ``share`` carried through; the difference is
    taken as normal, with the flat prior. A losing baseline's bar lies below it as far as a winning one's does,
    as "80 % of -1" would otherwise ask more than the baseline gives.

    Parameters
    ----------
    ml, baseline : ndarray of float, shape (days,)
        Profits of the same days, R.

    Returns
    -------
    float
        0.5 where either has no spread: nothing is known.

    Examples
    --------
    >>> x = np.array([1.0, -1.0, 2.0, -0.5, 1.5])
    >>> sharpe_exceeds(x, x), sharpe_exceeds(x, -x) > 0.5
    (0.5, True)
    """
    if len(ml) < 3 or ml.std() == 0.0 or baseline.std() == 0.0:
        return 0.5
    a, b = sharpe(ml), sharpe(baseline)
    k = share if b >= 0.0 else 2.0 - share
    rho = float(np.corrcoef(ml, baseline)[0, 1])
    variance = 1.0 - 2.0 * k * rho + k * k + 0.5 * (a * a + (k * b) ** 2 - 2.0 * k * a * b * rho * rho)
    if variance <= 1e-12:
        return 0.5 if a == k * b else float(a > k * b)
    return 0.5 * math.erfc(-(a - k * b) / math.sqrt(2.0 * variance / len(ml)))


def max_drawdown(profit: Floats) -> float:
    """Deepest fall of the running sum of profits from its peak (which is at least 0), same unit, >= 0.

    Examples
    --------
    >>> max_drawdown(np.array([1.0, -3.0, 1.0, -1.0, 5.0]))
    3.0
    """
    total = np.concatenate(([0.0], np.cumsum(profit)))
    return float((np.maximum.accumulate(total) - total).max())
