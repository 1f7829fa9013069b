"""What a feature matrix holds: names in their order, and the version of the code that computes them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from coordinator.types import Floats

__all__ = ["FeatureSchema", "align_columns"]


@dataclass(frozen=True)
class FeatureSchema:
    """Names of features and a version; rows and models fit together exactly if their schemas' hashes are the same.

    Attributes
    ----------
    names : tuple of str
        One a column, in order, no two the same.
    version : int
        Goes up whenever the meaning of a name changes.

    Examples
    --------
    >>> FeatureSchema(("a", "b"), 1).hash[:8]
    '4ba9b608'
    """

    names: tuple[str, ...]
    version: int

    def __len__(self) -> int:
        return len(self.names)

    @property
    def hash(self) -> str:
        """SHA-256 of version and names, the same that the ledger's feature store writes for them."""
        return hashlib.sha256(json.dumps([str(self.version), list(self.names)]).encode()).hexdigest()


def align_columns(values: Floats, have: FeatureSchema, want: FeatureSchema) -> Floats:
    """Columns of ``have`` in the order of ``want``; columns that ``have`` lacks are NaN.

    Parameters
    ----------
    values : ndarray of shape (n, len(have))

    Returns
    -------
    ndarray of shape (n, len(want))

    Examples
    --------
    >>> have, want = FeatureSchema(("a", "b"), 1), FeatureSchema(("b", "c"), 2)
    >>> align_columns(np.array([[1.0, 2.0]]), have, want)
    array([[ 2., nan]])
    """
    out = np.full((len(values), len(want)), np.nan)
    position = {name: column for column, name in enumerate(have.names)}
    for column, name in enumerate(want.names):
        if name in position:
            out[:, column] = values[:, position[name]]
    return out
