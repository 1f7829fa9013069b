"""Medians for what is missing: part of the models that cannot take NaN."""

from __future__ import annotations

import numpy as np

from coordinator.types import Floats

__all__ = ["fill", "medians"]


def medians(x: Floats) -> Floats:
    """Median of each column over its finite rows, 0 where it has none; shape (n_features,)."""
    out = np.zeros(x.shape[1])
    known = np.isfinite(x).any(axis=0)
    out[known] = np.nanmedian(np.where(np.isfinite(x[:, known]), x[:, known], np.nan), axis=0)
    return out


def fill(x: Floats, median: Floats) -> Floats:
    """A copy with every value that is not finite replaced by its column's median."""
    return np.where(np.isfinite(x), x, median)
