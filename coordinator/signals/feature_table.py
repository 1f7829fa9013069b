"""The features of a timeframe's candles as one matrix."""

from __future__ import annotations

import numpy as np

from coordinator.signals.candles import Candles
from coordinator.signals.features import FEATURES, compute_features
from coordinator.types import Floats

__all__ = ["Table", "feature_table"]

Table = Floats
"""Features of one timeframe's candles, shape (n, 31)."""


def feature_table(candles: Candles) -> Table:
    """The 31 features of a timeframe's candles, shape (n, 31); NaN while they lack history."""
    columns = compute_features(candles)
    return np.column_stack([columns[name] for name in FEATURES])
