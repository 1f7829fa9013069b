"""Which rows of a feature matrix end a complete sequence."""

from __future__ import annotations

import numpy as np

from coordinator.types import Bools, Floats, Ints

__all__ = ["complete_windows", "finite_run_lengths"]


def finite_run_lengths(features: Floats) -> Ints:
    """Length of the unbroken run of finite rows that ends at each row, itself included; 0 at a row with NaN."""
    finite = np.isfinite(features).all(axis=1)
    index = np.arange(len(features))
    broken = np.maximum.accumulate(np.where(finite, -1, index)) if len(index) else index
    return (index - broken).astype(np.int64)


def complete_windows(features: Floats, length: int) -> Bools:
    """True for rows whose last ``length`` rows, itself included, are all finite; shape (n,)."""
    complete: Bools = finite_run_lengths(features) >= length
    return complete
