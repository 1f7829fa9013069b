"""How much the pairs move, and how much together: two numbers from closed candles alone."""

from __future__ import annotations

import numpy as np

from coordinator.portfolio.correlation import ReturnPanel
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = ["average_correlation", "market_volatility"]


def market_volatility(panel: ReturnPanel, time: int, window: int, candle_seconds: int) -> float:
    """Daily volatility of the equal-weighted mean of all pairs' log returns, ratio; NaN without enough candles.

    Parameters
    ----------
    time : open time of the last closed candle
    window : candles to look back on; pairs that lack one are left out of its mean
    """
    end = int(np.searchsorted(panel.time, time, side="right"))
    if end < window:
        return float("nan")
    block = panel.returns[end - window : end]
    known = np.isfinite(block)
    count = known.sum(axis=1)
    if not count.all():
        return float("nan")
    mean = np.where(known, block, 0.0).sum(axis=1) / count
    return float(mean.std(ddof=1) * np.sqrt(SECONDS_PER_DAY / candle_seconds))


def average_correlation(correlations: Floats) -> float:
    """Mean of the correlations between different pairs that are known, -1..1; NaN without any.

    >>> average_correlation(np.array([[1.0, 0.5], [0.5, 1.0]]))
    0.5
    """
    pairs = correlations[np.triu_indices(len(correlations), k=1)]
    known = pairs[np.isfinite(pairs)]
    return float(known.mean()) if len(known) else float("nan")
