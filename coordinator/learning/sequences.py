"""Sequences of rows as views of a feature matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from coordinator.types import Ints

__all__ = ["gather_windows", "sequence_view"]


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
