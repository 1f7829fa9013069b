"""How far a model's features may stray before they have moved: farther than the training's own windows strayed.

Features of markets depend on the days before, so a window of them never looks like the whole, and limits made for
independent rows would see drift in every one. The limits here are half as far again as all but a share of the
training's own windows of the same length went, feature by feature; and drift is where many features are beyond theirs
at once, or one stands still. PSI and the Kolmogorov-Smirnov distance are taken against what is kept of the training:
shares of its bins, and quantiles. How often that is wrong, and how soon right: ``benchmarks.drift_detection``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coordinator.learning.drift.stability import DriftReference, drift_reference, psi_of_windows
from coordinator.learning.drift.windows import Windows
from coordinator.types import Bools, Floats

__all__ = ["DriftLimits", "FeatureDrift", "drift_limits", "feature_drift"]

QUANTILES = np.linspace(0.0, 1.0, 41)
STEPS = 8  # overlapping windows begin so many to a window's length
MARGIN = 1.5  # of PSI, which grows with the square of a distance; its root of KS
PARTS, LEAST_ROWS = 12, 50  # a window is a small part of the training, or it would be measured against itself


@dataclass(frozen=True)
class DriftLimits:
    """What a model was trained on, as far as drift is measured against it.

    Attributes
    ----------
    reference : DriftReference
    quantiles : ndarray of shape (n_columns, 41), of the known values; NaN without any
    psi_limit, ks_limit : ndarray of shape (n_columns,)
    still : ndarray of bool, shape (n_columns,), whether the feature stood still in a training window, or was unknown
    share_limit : share of the features that may be beyond their limits at once
    window : rows of the windows that the limits were taken from
    """

    reference: DriftReference
    quantiles: Floats
    psi_limit: Floats
    ks_limit: Floats
    still: Bools
    share_limit: float
    window: int

    def as_json(self) -> dict[str, Any]:
        """JSON types, six digits; NaN as None."""
        parts = {
            "edges": self.reference.edges,
            "shares": self.reference.shares,
            "quantiles": self.quantiles,
            "psi_limit": self.psi_limit,
            "ks_limit": self.ks_limit,
        }
        rounded = {name: _rounded(values.tolist()) for name, values in parts.items()}
        return rounded | {
            "still": self.still.tolist(),
            "share_limit": float(self.share_limit),
            "window": self.window,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> DriftLimits:
        """What ``as_json`` gave."""

        def array(name: str) -> Floats:
            return np.array(values[name], dtype=np.float64)

        return cls(
            DriftReference(array("edges"), array("shares")),
            array("quantiles"),
            array("psi_limit"),
            array("ks_limit"),
            np.array(values["still"], dtype=bool),
            float(values["share_limit"]),
            int(values["window"]),
        )


@dataclass(frozen=True)
class FeatureDrift:
    """Features now against the training's; arrays of shape (n_columns,).

    Attributes
    ----------
    psi, ks : distances
    moved : beyond its limit
    broken : stands still, or is unknown, as it never was for so long in training: a feed that broke
    share : of the features that have moved
    drifted : bool
    rows : how many were compared
    """

    psi: Floats
    ks: Floats
    moved: Bools
    broken: Bools
    share: float
    drifted: bool
    rows: int


def drift_limits(x: Floats, window: int, level: float, least_psi: float, share: float) -> DriftLimits:
    """The limits of a training.

    Parameters
    ----------
    x : ndarray of shape (n, n_columns)
        Training features in time order, NaN allowed; n > 0.
    window : int
        Rows of a window, at most a twelfth of the rows, but at least 50.
    level : float
        Share of the windows that may be beyond a limit.
    least_psi : float
        No feature's limit is below.
    share : float
        Of the features that may be beyond their limits at once.
    """
    reference = drift_reference(x)
    quantiles = np.full((x.shape[1], len(QUANTILES)), np.nan)
    for column in range(x.shape[1]):
        known = x[np.isfinite(x[:, column]), column]
        if len(known):
            quantiles[column] = np.quantile(known, QUANTILES)
    rows = min(max(min(window, len(x) // PARTS), LEAST_ROWS), len(x))
    windows = Windows.overlapping(len(x), rows, max(rows // STEPS, 1))
    psis, distances = psi_of_windows(reference, x, windows), _ks(quantiles, x, windows)
    return DriftLimits(
        reference,
        quantiles,
        psi_limit=np.maximum(MARGIN * np.quantile(psis, 1.0 - level, axis=0), least_psi),
        ks_limit=np.sqrt(MARGIN) * np.quantile(distances, 1.0 - level, axis=0),
        still=np.asarray(_stands_still(x, windows).any(axis=0)),
        share_limit=share,
        window=rows,
    )


def feature_drift(limits: DriftLimits, x: Floats) -> FeatureDrift | None:
    """Whether the newest rows have moved; None with too few to say.

    A feature has moved where both distances are beyond their limits; the rows have where more features have than may,
    or one is broken.

    Parameters
    ----------
    x : ndarray of shape (n, n_columns)
        Newest rows; as many as ``limits.window`` are needed and looked at.
    """
    if len(x) < limits.window:
        return None
    x = x[-limits.window :]
    window = Windows.whole(len(x))
    distance = psi_of_windows(limits.reference, x, window)[0]
    ks = _ks(limits.quantiles, x, window)[0]
    moved = (distance > limits.psi_limit) & (ks > limits.ks_limit)
    broken = _stands_still(x, window)[0] & ~limits.still
    share = float(moved.mean())
    drifted = share > limits.share_limit or bool(broken.any())
    return FeatureDrift(distance, ks, moved, broken, share, drifted, len(x))


def _stands_still(x: Floats, windows: Windows) -> Bools:
    """Columns with one value only, or none, in each window; shape (n_windows, n_columns)."""
    low, high = windows.span(x)
    return np.asarray(low >= high)


def _ks(quantiles: Floats, x: Floats, windows: Windows) -> Floats:
    """Kolmogorov-Smirnov distance of each column's known values from the quantiles in each window, to 2.5 %.

    Of shape (n_windows, n_columns); 0 where unknown.
    """
    out = np.zeros((len(windows.rows), x.shape[1]))
    for column, edges in enumerate(quantiles):
        if not np.isfinite(edges).all():
            continue
        # Values up to an edge, and below it; the last count is of unknown ones.
        n = len(edges)
        upto = windows.counts_between(x[:, column], edges, "left")
        under = windows.counts_between(x[:, column], edges, "right")
        count = np.maximum(windows.rows - upto[:, -1], 1)[:, None]
        at_most = upto[:, :n].cumsum(axis=1) / count
        below = under[:, :n].cumsum(axis=1) / count
        # Where quantiles coincide the reference jumps; the distance at the jump is that to its nearer side.
        high = QUANTILES[np.searchsorted(edges, edges, side="right") - 1]
        low = QUANTILES[np.searchsorted(edges, edges, side="left")]
        distance = np.maximum(np.abs(at_most - high), low - below).max(axis=1)
        out[:, column] = np.where(windows.rows > upto[:, -1], distance, 0.0)
    return out


def _rounded(values: Any) -> Any:
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return None if values != values else float(f"{values:.6g}")
