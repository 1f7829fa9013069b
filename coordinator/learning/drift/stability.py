"""Drift: the population stability index between what a model was trained on and what it sees now.

PSI = sum over bins of (now - then) x ln(now / then). Below .1 is calm, above .25 has moved (Siddiqi, Credit Risk
Scorecards, 2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.learning.drift.windows import Windows
from coordinator.types import Floats

__all__ = ["CALM", "MOVED", "DriftReference", "drift_reference", "psi", "psi_of_windows"]

CALM, MOVED = 0.1, 0.25
LEAST = 1e-4  # share of an empty bin


@dataclass(frozen=True)
class DriftReference:
    """Distribution of each column of a matrix; small enough to be kept with the model.

    Attributes
    ----------
    edges : ndarray of shape (n_columns, bins - 1)
        Inner quantiles; equal ones make empty bins, which do no harm.
    shares : ndarray of shape (n_columns, bins + 1)
        Share of the rows in each bin, the last for NaN.
    """

    edges: Floats
    shares: Floats


def drift_reference(values: Floats, bins: int = 10) -> DriftReference:
    """Deciles of each column.

    Parameters
    ----------
    values : ndarray of shape (n, n_columns)
        Training features, or scores as one column; n > 0, NaN allowed.
    """
    columns = values.shape[1]
    edges = np.zeros((columns, bins - 1))
    for column in range(columns):
        known = values[np.isfinite(values[:, column]), column]
        if len(known):
            edges[column] = np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1])
    return DriftReference(edges, _shares(values, edges, Windows.whole(len(values)))[0])


def psi(reference: DriftReference, values: Floats) -> Floats:
    """Stability index of each column, shape (n_columns,), >= 0; NaN without rows.

    Examples
    --------
    >>> rows = np.arange(1000.0)[:, None]
    >>> reference = drift_reference(rows)
    >>> psi(reference, rows).round(6), bool(psi(reference, rows + 300)[0] > MOVED)
    (array([0.]), True)
    """
    if not len(values):
        return np.full(values.shape[1], np.nan)
    return np.asarray(psi_of_windows(reference, values, Windows.whole(len(values)))[0])


def psi_of_windows(reference: DriftReference, values: Floats, windows: Windows) -> Floats:
    """Stability index of each column in each window, shape (n_windows, n_columns), >= 0."""
    then = np.maximum(reference.shares, LEAST)
    now = np.maximum(_shares(values, reference.edges, windows), LEAST)
    return np.asarray(((now - then) * np.log(now / then)).sum(axis=2))


def _shares(values: Floats, edges: Floats, windows: Windows) -> Floats:
    """Of each window's rows, in each column's bins, shape (n_windows, n_columns, bins + 1)."""
    counts = [windows.counts_between(x, cuts, "right") for x, cuts in zip(values.T, edges, strict=True)]
    return np.asarray(np.stack(counts, axis=1) / windows.rows[:, None, None])
