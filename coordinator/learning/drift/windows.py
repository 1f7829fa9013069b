"""Counts and extremes of many overlapping windows of rows, each row gone through once."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from coordinator.types import Floats, Ints

__all__ = ["Windows"]


class Windows(NamedTuple):
    """Windows of consecutive rows, cut where any of them begins or ends.

    Attributes
    ----------
    cuts : ndarray of int, shape (n_pieces + 1,), rows at which a piece begins, and where the last one ends
    first, last : ndarray of int, shape (n_windows,), each window's pieces are those from first to before last
    """

    cuts: Ints
    first: Ints
    last: Ints

    @classmethod
    def overlapping(cls, n: int, rows: int, step: int) -> Windows:
        """Of so many rows each, of 0 < rows <= n, one beginning every so many."""
        starts = np.arange(0, n - rows + 1, step)
        cuts = np.unique(np.concatenate((starts, starts + rows)))
        return cls(cuts, np.searchsorted(cuts, starts), np.searchsorted(cuts, starts + rows))

    @classmethod
    def whole(cls, n: int) -> Windows:
        """One, of all rows, n > 0."""
        return cls.overlapping(n, n, 1)

    @property
    def rows(self) -> Ints:
        """How many each window has."""
        return self.cuts[self.last] - self.cuts[self.first]

    def counts(self, codes: Ints, n_codes: int) -> Ints:
        """How often each code stands in each window.

        Parameters
        ----------
        codes : ndarray of int, shape (n,), each in 0..n_codes - 1

        Returns
        -------
        ndarray of int, shape (n_windows, n_codes)
        """
        pieces = len(self.cuts) - 1
        inside = slice(self.cuts[0], self.cuts[-1])
        piece = np.repeat(np.arange(pieces), np.diff(self.cuts))
        each = np.bincount(piece * n_codes + codes[inside], minlength=pieces * n_codes)
        so_far = np.zeros((pieces + 1, n_codes), dtype=np.int64)
        np.cumsum(each.reshape(pieces, n_codes), axis=0, out=so_far[1:])
        return np.asarray(so_far[self.last] - so_far[self.first])

    def counts_between(self, values: Floats, edges: Floats, side: Literal["left", "right"]) -> Ints:
        """How many known values of each window lie between ascending edges, and how many are unknown.

        Parameters
        ----------
        values : ndarray of shape (n,)
        edges : ndarray of shape (n_edges,)
        side : where a value that equals an edge counts: "left" below it, "right" above it

        Returns
        -------
        ndarray of int, shape (n_windows, n_edges + 2), the last one of the values that are not finite
        """
        unknown = len(edges) + 1
        places = np.where(np.isfinite(values), np.searchsorted(edges, values, side=side), unknown)
        return self.counts(places, unknown + 1)

    def span(self, x: Floats) -> tuple[Floats, Floats]:
        """Lowest and highest finite value of each column in each window: inf and -inf where there is none.

        Parameters
        ----------
        x : ndarray of shape (n, n_columns)

        Returns
        -------
        two ndarrays of shape (n_windows, n_columns)
        """
        known = np.isfinite(x)
        inside, begins = slice(self.cuts[0], self.cuts[-1]), self.cuts[:-1] - self.cuts[0]
        low = np.minimum.reduceat(np.where(known, x, np.inf)[inside], begins, axis=0)
        high = np.maximum.reduceat(np.where(known, x, -np.inf)[inside], begins, axis=0)
        pieces = list(zip(self.first, self.last, strict=True))
        return (
            np.array([low[first:last].min(axis=0) for first, last in pieces]),
            np.array([high[first:last].max(axis=0) for first, last in pieces]),
        )
