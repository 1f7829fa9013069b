"""Which rows of a feature matrix end a complete sequence, and sequences as views of the matrix."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from coordinator.types import Bools, Floats, Ints

__all__ = ["complete_windows", "finite_run_lengths", "gather_windows", "sequence_view"]


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


def sequence_view(rows: Tensor, length: int) -> Tensor:
    """Every stretch of ``length`` rows of a matrix, as a view: shape (n - length + 1, length, width).

    Nothing is copied; indexing it copies the selected sequences.
    """
    n, width = rows.shape
    down, across = rows.stride()
    return rows.as_strided((n - length + 1, length, width), (down, down, across))


def gather_windows(features: Tensor, ends: Ints | Tensor, length: int) -> Tensor:
    """Sequences ending at the given rows, shape (len(ends), length, n_features).

    Only the batch is copied; the whole set of windows never exists at once.
    """
    ends = torch.as_tensor(ends, device=features.device)
    return sequence_view(features, length)[ends - (length - 1)]
