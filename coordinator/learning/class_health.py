"""Health of a classifier of HOLD, BUY and SELL: overfitting, drift of its inputs, what it looks at. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coordinator.learning.drift.stability import drift_reference, psi
from coordinator.learning.health import QUANTILES
from coordinator.types import Floats, Ints

__all__ = ["class_figures", "confidence_quantiles", "input_drift", "shuffled_importance"]

SMALLEST = 1e-12
DRIFTED = 5


def class_figures(train: Floats, trained: Ints, test: Floats, truth: Ints) -> dict[str, float]:
    """Shares of right answers on rows trained on and on later ones, and their gap.

    Parameters
    ----------
    train, test : ndarray of shape (n, n_classes)
        Probabilities; the likeliest class is the answer. One row at least.
    trained, truth : ndarray of int, shape (n,)
        The classes.

    Examples
    --------
    >>> p = np.array([[0.8, 0.2], [0.4, 0.6]])
    >>> class_figures(p, np.array([0, 1]), p, np.array([0, 0]))
    {'accuracy': 0.5, 'train_accuracy': 1.0, 'gap': 0.5}
    """
    seen = float((train.argmax(axis=1) == trained).mean())
    unseen = float((test.argmax(axis=1) == truth).mean())
    return {"accuracy": unseen, "train_accuracy": seen, "gap": seen - unseen}


def confidence_quantiles(p: Floats) -> list[float]:
    """Quantiles 0, 10, 25, 50, 75, 90 and 100 % of the likeliest class's probability, from shape (n, n_classes)."""
    return [float(q) for q in np.quantile(p.max(axis=1), QUANTILES)]


def input_drift(train: Floats, test: Floats, names: Sequence[str]) -> tuple[float, list[str]]:
    """Mean stability index of the features between two sets of rows, and the five that moved most.

    Examples
    --------
    >>> rows = np.column_stack((np.arange(1000.0), np.arange(1000.0)))
    >>> mean, moved = input_drift(rows, rows + [0.0, 400.0], ("a", "b"))
    >>> mean > 0.25, moved
    (True, ['b', 'a'])
    """
    moved = psi(drift_reference(train), test)
    order = np.argsort(-moved, kind="stable")[:DRIFTED]
    return float(moved.mean()), [names[column] for column in order]


def shuffled_importance(
    predict: Callable[[Floats], Floats], x: Floats, classes: Ints, names: Sequence[str], seed: int
) -> dict[str, float]:
    """Log loss (nats) that is gained when a feature's values are dealt out at random among the rows; by name.

    Near zero or below is a feature that does not help on these rows.

    Parameters
    ----------
    predict : callable
        Probabilities of the rows, shape (n, n_classes); NaN rows are passed over.
    x : ndarray of shape (n, n_features)
        Rows in time order; only copies are shuffled.
    classes : ndarray of int, shape (n,)

    Returns
    -------
    dict
        Empty where no row has a prediction.
    """
    rng = np.random.default_rng(seed)

    def loss(rows: Floats) -> float:
        p = predict(rows)[np.arange(len(classes)), classes]
        known = p[np.isfinite(p)]
        return float(-np.log(np.maximum(known, SMALLEST)).mean()) if len(known) else float("nan")

    whole, shuffled, out = loss(x), x.copy(), {}
    if whole != whole:
        return {}
    for column, name in enumerate(names):
        shuffled[:, column] = x[rng.permutation(len(x)), column]
        out[name] = loss(shuffled) - whole
        shuffled[:, column] = x[:, column]
    return out
