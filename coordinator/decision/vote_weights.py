"""Inner weights of the ML components by multiplicative weights (DESIGN.md 4.1).

Hedge (Freund and Schapire, "A decision-theoretic generalization of on-line learning", 1997): after each round a
weight is multiplied by exp(-learning rate x loss). The loss is |percentile - won|: linear, because
a squared one is smallest for a component without an opinion, whose percentiles huddle at .5. A component
that was absent takes the loss of the mixture of those present ("sleeping" specialists, Freund et al. 1997), so its
share stays where it was. A floor keeps every component in the race, so that one that turns good comes back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coordinator.decision.voting import ML_COMPONENTS
from coordinator.settings.learners import VoteWeightSettings
from coordinator.types import Bools, Floats

__all__ = ["VoteWeights", "mixture"]

TINY = 1e-300  # a weight that underflows to 0 would never come back


class VoteWeights:
    """Learns how much each ML component says among the ML components.

    Parameters
    ----------
    settings : VoteWeightSettings
    start : mapping of component to weight
        The documented vote weights (``voting.ml_weights``); only proportions matter. One of 0 stays 0.

    Attributes
    ----------
    weights_ : list of float
        In the order of ``ML_COMPONENTS``, sum 1.

    Notes
    -----
    One call of ``learn`` is one round of Hedge with the sum of its outcomes' losses. The rounds' boundaries matter
    for absent components and at the floor only; without both, chunks change nothing but rounding.
    """

    def __init__(self, settings: VoteWeightSettings, start: Mapping[str, float]) -> None:
        self.settings = settings
        total = sum(start[name] for name in ML_COMPONENTS) or 1.0
        self.weights_ = _floored([start[name] / total for name in ML_COMPONENTS], settings.floor)

    @property
    def weights(self) -> dict[str, float]:
        """Weight by component, sum 1, as ``voting.unified_score`` takes them."""
        return dict(zip(ML_COMPONENTS, self.weights_, strict=True))

    def learn(self, percentile: Floats, won: Bools) -> None:
        """One round: the outcomes that resolved since the last.

        Parameters
        ----------
        percentile : ndarray of float, shape (n, 5)
            Confidences on the common scale, 0..1, columns as ``ML_COMPONENTS``; NaN where absent.
        won : ndarray of bool, shape (n,)
        """
        rate = self.settings.learning_rate
        if not len(won) or rate == 0.0:
            return
        present = percentile == percentile
        loss = np.abs(np.where(present, percentile - won[:, None], 0.0))
        if not present.all():
            weighted = present * np.array(self.weights_)
            total = weighted.sum(axis=1)
            mixture = (weighted * loss).sum(axis=1) / np.where(total > 0.0, total, 1.0)
            loss = np.where(present, loss, mixture[:, None])
        losses = loss.sum(axis=0).tolist()
        least = min(losses)  # only differences matter; without this a long round underflows
        raw = [
            w * max(math.exp(-rate * (loss - least)), TINY)
            for w, loss in zip(self.weights_, losses, strict=True)
        ]
        self.weights_ = _floored(raw, self.settings.floor)

    def predict(self, percentile: Floats) -> tuple[Floats, Floats]:
        """Weighted mean of the components present, and the shares of each; see ``mixture``."""
        return mixture(self.weights_, percentile)

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types; ``restore`` gives it back to the bit."""
        return {"weights": self.weights}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self.weights_ = [float(state["weights"][name]) for name in ML_COMPONENTS]


def _floored(raw: list[float], floor: float) -> list[float]:
    """Shares of one in proportion to ``raw``, none of a positive one below the floor; zeros stay zero."""
    low: set[int] = set()
    while True:
        free = sum(share for i, share in enumerate(raw) if i not in low)
        left = 1.0 - floor * len(low)
        shares = [
            floor if i in low else (share * left / free if free > 0.0 else 0.0) for i, share in enumerate(raw)
        ]
        below = {i for i, share in enumerate(shares) if raw[i] > 0.0 and share < floor} - low
        if not below:
            return shares
        low |= below


def mixture(weights: Sequence[float], percentile: Floats) -> tuple[Floats, Floats]:
    """Weighted mean of the components present, the weights renormalised over them.

    Column by column, so that a row's bits do not depend on how many rows are handed over.

    Parameters
    ----------
    weights : of the ML components, in the order of ``ML_COMPONENTS``
    percentile : ndarray of float, shape (n, 5)
        0..1, columns as ``ML_COMPONENTS``; NaN where absent.

    Returns
    -------
    mean : ndarray of float, shape (n,)
        0..1, NaN where nothing with a weight is present.
    shares : ndarray of float, shape (n, 5)
        The weights in force; rows sum to 1, or 0 where nothing is present.

    Examples
    --------
    >>> mean, shares = mixture((0.75, 0.25), np.array([[0.8, 0.4], [np.nan, 0.4]]))
    >>> mean.round(2), shares
    (array([0.7, 0.4]), array([[0.75, 0.25],
           [0.  , 1.  ]]))
    """
    here = percentile == percentile
    shares = here * np.array(weights)
    weighted = shares * np.where(here, percentile, 0.0)
    total, mean = np.zeros(len(percentile)), np.zeros(len(percentile))
    for i in range(len(weights)):
        total += shares[:, i]
        mean += weighted[:, i]
    present = total > 0.0
    divisor = np.where(present, total, 1.0)
    return np.where(present, mean / divisor, np.nan), shares / divisor[:, None]
