"""How full the portfolio is, as the policy that divides the slots sees it, and what it answers to that.

The policy's logit of taking a signal is linear in the portfolio's numbers, with coefficients of the signal's own:

    logit = terms[0] + terms[1] x share of slots in use + terms[2] x mean age of the positions

So what a model says of a signal is three numbers that depend on candles alone, and the portfolio, which depends on
what was entered before, is put in where an entry is decided: in a backtest, in hyperopt and in a bot alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coordinator.types import Floats

__all__ = ["PORTFOLIO", "TAKE", "TERMS", "portfolio_state", "take_probability"]

PORTFOLIO = ("in_use", "age")
TERMS = ("take", *PORTFOLIO)
TAKE = 0.5
"""P(take) below this leaves a signal without a slot."""


def portfolio_state(opened: Sequence[int], places: int, time: int, time_limit: int) -> tuple[float, float]:
    """Share of the places in use, and the positions' mean age as a share of the time limit, each 0..1.

    Parameters
    ----------
    opened : open times of the candles on whose signals the positions were entered, seconds
    places : slots in all, at least 1
    time : open time of the last closed candle, seconds
    time_limit : seconds

    Examples
    --------
    >>> portfolio_state([0, 3600], 4, 7200, 14400)
    (0.5, 0.375)
    >>> portfolio_state([], 4, 7200, 14400)
    (0.0, 0.0)
    """
    if not opened:
        return 0.0, 0.0
    ages = [min(max(time - since, 0) / time_limit, 1.0) for since in opened]
    return min(len(opened) / places, 1.0), sum(ages) / len(ages)


def take_probability(terms: Floats, state: tuple[float, float]) -> Floats:
    """P(take) of signals, shape (n,), from their terms, shape (n, 3); NaN stays NaN.

    Examples
    --------
    >>> take_probability(np.array([[0.0, 1.0, 0.0], [2.0, -4.0, 0.0]]), (0.5, 0.0)).round(3)
    array([0.622, 0.5  ])
    """
    logit = terms[:, 0] + terms[:, 1] * state[0] + terms[:, 2] * state[1]
    probability: Floats = 1.0 / (1.0 + np.exp(-np.clip(logit, -50.0, 50.0)))
    return probability
