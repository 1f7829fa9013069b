"""Rolling correlations of all pairs' returns, each matrix worked out from closed candles alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coordinator.types import SECONDS_PER_DAY, Floats, Times

__all__ = ["ReturnPanel"]


@dataclass(frozen=True)
class ReturnPanel:
    """Log returns of several pairs side by side.

    Attributes
    ----------
    pairs : tuple of str, sorted
    time : ndarray of shape (n,), open times of the candles, seconds since the epoch, ascending
    returns : ndarray of shape (n, n_pairs), log return from the candle before; NaN where either is missing
    """

    pairs: tuple[str, ...]
    time: Times
    returns: Floats

    @classmethod
    def from_closes(
        cls, closes: Mapping[str, tuple[Times, Floats]], breaks: Mapping[str, Times] | None = None
    ) -> ReturnPanel:
        """From each pair's open times and closes (> 0); pairs may begin, end and miss candles as they like.

        Parameters
        ----------
        breaks : candles of a pair whose return is none (``signals.breaks``): it counts as missing
        """
        pairs = tuple(sorted(closes))
        times = [closes[pair][0] for pair in pairs]
        time = np.unique(np.concatenate(times)) if times else np.zeros(0, dtype=np.int64)
        logs = np.full((len(time), len(pairs)), np.nan)
        for i, pair in enumerate(pairs):
            logs[np.searchsorted(time, closes[pair][0]), i] = np.log(closes[pair][1])
        returns = np.full_like(logs, np.nan)
        returns[1:] = np.diff(logs, axis=0)
        for i, pair in enumerate(pairs):
            returns[np.searchsorted(time, (breaks or {}).get(pair, time[:0])), i] = np.nan
        return cls(pairs, time, returns)

    def covariance(self, time: int, window: int) -> Floats:
        """Covariance of a day's returns, from the last ``window`` candles up to one, shape (n_pairs, n_pairs).

        NaN for a pair that lacks one of these returns, and everywhere while there are fewer.
        """
        end, size = int(np.searchsorted(self.time, time, side="right")), len(self.pairs)
        if end < window or window < 2:
            return np.full((size, size), np.nan)
        block = self.returns[end - window : end]
        centred = block - block.mean(axis=0)
        per_day = SECONDS_PER_DAY / float(np.median(np.diff(self.time[end - window : end])))
        daily: Floats = centred.T @ centred / window * per_day
        return daily

    def correlations(self, time: int, window: int) -> Floats:
        """Pearson correlations over the last ``window`` returns up to a candle, shape (n_pairs, n_pairs), -1..1.

        Returns
        -------
        ndarray
            NaN for a pair that lacks one of these returns, and everywhere while there are fewer; 0 for one that did
            not move.
        """
        end = int(np.searchsorted(self.time, time, side="right"))
        size = len(self.pairs)
        if end < window:
            return np.full((size, size), np.nan)
        block = self.returns[end - window : end]
        centred = block - block.mean(axis=0)
        scale = np.sqrt((centred * centred).sum(axis=0))
        product, norm = centred.T @ centred, np.outer(scale, scale)
        still = norm == 0
        return np.clip(np.where(still, 0.0, product / np.where(still, 1.0, norm)), -1.0, 1.0)
