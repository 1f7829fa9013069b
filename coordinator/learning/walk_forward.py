"""Train on the past, test on what follows: splits of signals by time, purged and embargoed.

Purging and embargo: Lopez de Prado, Advances in Financial Machine Learning, 2018, chapter 7. A signal's label is known
only when its outcome is, so a training row whose outcome reaches into the test slice overlaps it and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.types import Bools, Ints, Times

__all__ = ["Fold", "newest_slice", "purged_training", "quarter_edges", "walk_forward"]


@dataclass(frozen=True)
class Fold:
    """One training and the slice it is tested on.

    Attributes
    ----------
    start, end : int
        Test slice [start, end), open times in seconds.
    train, test : ndarray of int
        Rows, in the order they came; no row is in both.
    """

    start: int
    end: int
    train: Ints
    test: Ints


def purged_training(
    time: Times, outcome_time: Times, start: int, end: int, embargo_seconds: int = 0
) -> Bools:
    """Which rows may train for a test on [start, end), before and after it; shape (n,).

    Gone are unresolved rows (outcome_time < 0); rows from before the slice whose outcome falls into it or into the
    ``embargo_seconds`` before it; and later rows that begin before the last outcome of the tested signals, or within
    the embargo after that.

    Examples
    --------
    >>> begun, known = np.array([0, 10, 20, 30, 40]), np.array([5, 22, 35, 38, 50])
    >>> purged_training(begun, known, start=20, end=30).tolist()  # 10 is known too late, 30 begins before 20 is known
    [True, False, False, False, True]
    """
    resolved = outcome_time >= 0
    tested = (time >= start) & (time < end)
    known = outcome_time[tested & resolved]
    last_known = max(end - 1, int(known.max()) if len(known) else end - 1)  # the tested labels' own intervals
    before = outcome_time < start - embargo_seconds
    after = time > last_known + embargo_seconds
    return np.asarray(resolved & (before | after))


def walk_forward(
    time: Times,
    outcome_time: Times,
    edges: Times,
    *,
    train_seconds: int = 0,
    embargo_seconds: int = 0,
    minimum: int = 50,
) -> list[Fold]:
    """Folds that train on the past alone and test on the slices between the edges.

    Parameters
    ----------
    time, outcome_time : ndarray of int, shape (n,)
        Open times of the signal's candle and of the candle that resolved it (negative: unresolved); any order.
    edges : ndarray of int, shape (n_folds + 1,)
        Ascending limits of the test slices.
    train_seconds : int
        Length of a rolling training window; 0 is an expanding one.
    embargo_seconds : int
        Gap between the last outcome learnt from and the test slice.
    minimum : int
        Folds with fewer training rows are left out.

    Raises
    ------
    CoordinatorError
        If the edges do not ascend or the arrays differ in length.
    """
    if len(time) != len(outcome_time):
        raise CoordinatorError("outcome_time", "walk_forward", f"have {len(time)} entries", len(outcome_time))
    if len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise CoordinatorError("edges", "walk_forward", "be two or more ascending times", list(edges))
    folds = []
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        usable = purged_training(time, outcome_time, start, end, embargo_seconds) & (time < start)
        if train_seconds > 0:
            usable &= time >= start - train_seconds
        train = np.flatnonzero(usable).astype(np.int64)
        test = np.flatnonzero((time >= start) & (time < end)).astype(np.int64)
        if len(train) >= minimum:
            folds.append(Fold(start, end, train, test))
    return folds


def newest_slice(
    time: Times,
    outcome_time: Times,
    now: int,
    length_seconds: int,
    *,
    share: float = 0.25,
    not_before: int = 0,
    train_seconds: int = 0,
    embargo_seconds: int = 0,
    minimum: int = 50,
) -> Fold | None:
    """The newest resolved signals as test, what lies before them (purged) as training.

    Parameters
    ----------
    now : int
        Open time of the candle at which one stands: only outcomes known before it count.
    length_seconds : int
        Length of the slice, at most ``share`` of the time that the known signals span.
    not_before : int
        The slice begins here at the earliest: what an older model has learnt from must not judge it.
    train_seconds : int
        Length of the training window before the slice; 0 is all.

    Returns
    -------
    Fold or None
        None where training or test would have fewer than ``minimum`` rows.
    """
    known = np.where((outcome_time >= 0) & (outcome_time < now), outcome_time, -1)
    times = time[known >= 0]
    if not len(times):
        return None
    length = min(length_seconds, int(share * (now - int(times.min()))))
    start = max(now - length, not_before)
    if start >= now:
        return None
    folds = walk_forward(
        time,
        known,
        np.array([start, now]),
        train_seconds=train_seconds,
        embargo_seconds=embargo_seconds,
        minimum=minimum,
    )
    if not folds:
        return None
    test = folds[0].test[known[folds[0].test] >= 0]
    return Fold(start, now, folds[0].train, test) if len(test) >= minimum else None


def quarter_edges(first: str, last: str) -> Times:
    """Starts of calendar quarters from ``first`` to ``last``, both included.

    Examples
    --------
    >>> quarter_edges("2021-07", "2022-01").tolist()
    [1625097600, 1633046400, 1640995200]
    """
    months = np.arange(np.datetime64(first, "M"), np.datetime64(last, "M") + np.timedelta64(1, "M"), 3)
    return months.astype("datetime64[s]").astype(np.int64)
