"""Which rows of a feature matrix end a complete sequence."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from coordinator.types import Bools, Floats, Ints

__all__ = ["complete_windows", "gather_windows"]


def complete_windows(features: Floats, length: int) -> Bools:
    """True for rows whose last ``length`` rows, itself included, are all finite; shape (n,)."""
    finite = np.isfinite(features).all(axis=1)
    run = np.cumsum(np.concatenate(([0], finite)))
    complete = np.zeros(len(features), dtype=bool)
    if len(features) >= length:
        complete[length - 1 :] = (run[length:] - run[:-length]) == length
    return complete


def gather_windows(features: Tensor, ends: Ints | Tensor, length: int) -> Tensor:
    """Sequences ending at the given rows, shape (len(ends), length, n_features).

    Only the batch is copied; the whole set of windows never exists at once.
    """
    rows = torch.as_tensor(ends)[:, None] + torch.arange(1 - length, 1)
    return features[rows]
