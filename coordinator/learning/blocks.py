"""Training rows of several pairs, stacked: no sequence crosses from one into the next, and time splits them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.complete_rows import finite_run_lengths
from coordinator.types import Bools, Floats, Ints, Times

__all__ = ["Block", "Pool", "Split", "TooFewRowsError", "label_ends", "pool", "split_by_time"]


class TooFewRowsError(CoordinatorError):
    """There is too little to train a model on."""


@dataclass(frozen=True)
class Block:
    """One pair's rows in time order.

    Attributes
    ----------
    features : ndarray of shape (n, n_features)
        A row with NaN belongs to no sequence.
    labels : ndarray of shape (n,)
        +1, -1, 0; NaN rows train nothing.
    times : ndarray of int, shape (n,), or None
        Candle open times, seconds, ascending. None counts rows, which is right for a single pair only.
    weights : ndarray of shape (n,), or None
        Weight of each label, >= 0 (uniqueness, Lopez de Prado 2018, chapter 4); None is 1 for all.
    label_end : ndarray of int, shape (n,), or None
        Open time of the last candle that the label looks at, of several horizons the longest. None:
        ``label_horizon`` candles after its own.
    further_labels : mapping of horizon, candles, to ndarray of shape (n,)
        Labels of an ensemble's further horizons, known and unknown on the same rows.
    """

    features: Floats
    labels: Floats
    times: Times | None = None
    weights: Floats | None = None
    label_end: Times | None = None
    further_labels: Mapping[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Pool:
    """The blocks' rows under each other; arrays of shape (n,) unless stated.

    Attributes
    ----------
    features : shape (n, n_features)
    labels, weights : as in ``Block``
    times, label_end : as in ``Block``
    run : length of the unbroken run of complete rows of one pair that ends at each row
    """

    features: Floats
    labels: Floats
    weights: Floats
    times: Times
    label_end: Times
    run: Ints


@dataclass(frozen=True)
class Split:
    """Row numbers of a pool that train, that decide when to stop, and that judge the model, ascending."""

    train: Ints
    validation: Ints
    promotion: Ints


def label_ends(times: Times, horizon: int) -> Times:
    """Open time of the candle ``horizon`` rows later; behind the last row, that many median steps later."""
    n = len(times)
    step = int(np.median(np.diff(times))) if n > 1 else 1
    later = np.arange(n) + horizon
    ends: Times = times[np.minimum(later, n - 1)] + step * np.maximum(later - (n - 1), 0)
    return ends


def pool(blocks: Sequence[Block], horizon: int) -> Pool:
    """Stack the blocks.

    Raises
    ------
    TooFewRowsError
        If there is none.
    CoordinatorError
        If their lengths or numbers of features differ, or one of several has no times.
    """
    if not blocks:
        raise TooFewRowsError("rows", "the training data", "be there", "none")
    if len(blocks) > 1 and any(block.times is None for block in blocks):
        raise CoordinatorError("times", "every one of several training blocks", "be given", None)
    widths = {block.features.shape[1] for block in blocks}
    if len(widths) != 1:
        raise CoordinatorError("blocks", "the training data", "have one number of features", sorted(widths))
    parts = []
    for block in blocks:
        n = len(block.features)
        times = np.arange(n, dtype=np.int64) if block.times is None else block.times
        weights = np.ones(n) if block.weights is None else block.weights
        end = label_ends(times, horizon) if block.label_end is None else block.label_end
        if {len(block.labels), len(times), len(weights), len(end)} != {n}:
            raise CoordinatorError("labels", "a training block", f"have {n} rows", len(block.labels))
        parts.append((block.features, block.labels, weights, times, end, finite_run_lengths(block.features)))
    return Pool(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def split_by_time(rows: Pool, length: int, validation_share: float, promotion_share: float) -> Split:
    """Split the labelled, complete rows of all pairs at two times.

    The latest ``promotion_share`` of them (whole candles) judge the model, the ``validation_share`` before those
    decides when to stop. A row is in a slice only if the last candle that its label looks at opens before the next
    slice (purging, Lopez de Prado 2018, chapter 7).
    """
    usable: Bools = (rows.run >= length) & np.isfinite(rows.labels) & (rows.weights > 0)
    index = np.flatnonzero(usable)
    if not len(index):
        return Split(index, index, index)
    times = np.sort(rows.times[index])
    stop, judge = (
        times[min(int(len(times) * (1 - share)), len(times) - 1)]
        for share in (promotion_share + validation_share, promotion_share)
    )
    return Split(
        train=np.flatnonzero(usable & (rows.label_end < stop)),
        validation=np.flatnonzero(usable & (rows.times >= stop) & (rows.label_end < judge)),
        promotion=np.flatnonzero(usable & (rows.times >= judge)),
    )
