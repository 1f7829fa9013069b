"""Weights of training signals: uniqueness, age, class. Each is an ndarray of shape (n,) with mean 1."""

from __future__ import annotations

import numpy as np

from coordinator.settings.quality import QualitySettings
from coordinator.types import Floats, Ints, Times

__all__ = ["age_weights", "average_uniqueness", "class_weights", "sample_weights"]


def average_uniqueness(
    time: Times, outcome_time: Times, candle_seconds: int, group: Ints | None = None
) -> Floats:
    """Mean over a label's lifetime of 1 / (labels alive then); 0..1, 1 where no other overlaps.

    Lopez de Prado, Advances in Financial Machine Learning, 2018, section 4.4. A label lives from the candle after its
    signal to the candle at which its outcome is known. Vectorised: O(n + candles).

    Parameters
    ----------
    time, outcome_time : ndarray of int, shape (n,)
        Open times of the signal's candle and of the candle that resolved it, which is later.
    group : ndarray of int, shape (n,), optional
        Overlap counts within a group only (pairs, say); by default among all.

    Examples
    --------
    >>> average_uniqueness(np.array([0, 0, 10]), np.array([2, 4, 12]), 1)
    array([0.5 , 0.75, 1.  ])
    """
    if group is not None:
        out = np.empty(len(time))
        for value in np.unique(group):
            here = group == value
            out[here] = average_uniqueness(time[here], outcome_time[here], candle_seconds)
        return out
    if not len(time):
        return np.empty(0)
    origin = int(time.min())
    first = (time - origin) // candle_seconds + 1
    last = np.maximum((outcome_time - origin) // candle_seconds, first)
    change = np.zeros(int(last.max()) + 2)
    np.add.at(change, first, 1.0)
    np.add.at(change, last + 1, -1.0)
    alive = np.cumsum(change)
    share = np.concatenate(([0.0], np.cumsum(np.where(alive > 0, 1.0 / np.maximum(alive, 1.0), 0.0))))
    return np.asarray((share[last + 1] - share[first]) / (last + 1 - first))


def age_weights(time: Times, half_life_days: float) -> Floats:
    """Halves with every ``half_life_days`` before the newest signal; all 1 where that is 0."""
    if half_life_days <= 0 or not len(time):
        return np.ones(len(time))
    age = (time.max() - time) / 86400.0
    return np.asarray(0.5 ** (age / half_life_days))


def class_weights(y: Floats) -> Floats:
    """Weights that give both classes the same sum; a soft label counts for each class by its share.

    Examples
    --------
    >>> class_weights(np.array([1.0, 0.0, 0.0, 0.0])).round(2)
    array([2.  , 0.67, 0.67, 0.67])
    """
    positive = float(y.sum())
    negative = len(y) - positive
    if positive <= 0 or negative <= 0:
        return np.ones(len(y))
    return np.asarray(y * (len(y) / (2 * positive)) + (1 - y) * (len(y) / (2 * negative)))


def sample_weights(
    time: Times, outcome_time: Times, y: Floats, candle_seconds: int, settings: QualitySettings
) -> Floats:
    """The product of the weights that the settings ask for, scaled to the mean 1."""
    weight = age_weights(time, settings.half_life_days)
    if settings.uniqueness:
        weight = weight * average_uniqueness(time, outcome_time, candle_seconds)
    if settings.balanced:
        weight = weight * class_weights(y)
    return np.asarray(weight / weight.mean()) if len(weight) else weight
