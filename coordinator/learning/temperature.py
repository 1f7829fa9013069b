"""Temperature scaling: one number that makes a network's probabilities as sure as they deserve. Pure functions."""

from __future__ import annotations

import numpy as np

from coordinator.types import Floats, Ints

__all__ = ["fit_temperature", "mean_log_loss", "scaled_probabilities"]

LOWEST, HIGHEST = 0.05, 20.0
HALVINGS = 60  # the bracket's rounding is reached before


def scaled_probabilities(logits: Floats, temperature: float) -> Floats:
    """Softmax of logits / temperature, shape (n, n_classes); the likeliest class is the same at any temperature."""
    z = logits / temperature
    likelihood = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(likelihood / likelihood.sum(axis=1, keepdims=True))


def mean_log_loss(logits: Floats, classes: Ints, temperature: float) -> float:
    """Mean cross-entropy of the scaled probabilities, nats; rows are not weighted."""
    z = logits / temperature
    z = z - z.max(axis=1, keepdims=True)
    own = np.take_along_axis(z, classes[:, None], axis=1)[:, 0]
    return float((np.log(np.exp(z).sum(axis=1)) - own).mean())


def fit_temperature(logits: Floats, classes: Ints) -> float:
    """The temperature of least log loss on rows that the network was not fitted to (Guo et al. 2017).

    The log loss is convex in 1 / temperature, so its slope changes its sign once and halving a bracket finds where.

    Parameters
    ----------
    logits : ndarray of float, shape (n, n_classes), finite
    classes : ndarray of int, shape (n,)
        The true classes' columns.

    Returns
    -------
    float
        Between .05 and 20: above 1 for a network that is too sure of itself. 1 for no rows, and never worse than 1.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017.

    Examples
    --------
    Always 10 against 0, right three times of four: the odds of 3 need a gap of log 3.

    >>> round(fit_temperature(np.array([[10.0, 0.0]] * 4), np.array([0, 0, 0, 1])), 3)  # 10 / log 3
    9.102
    """
    if not len(classes):
        return 1.0
    own = np.take_along_axis(logits, classes[:, None], axis=1)[:, 0]
    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        expected = (scaled_probabilities(logits, float(np.exp(middle))) * logits).sum(axis=1)
        # The mean of this difference is the slope over 1 / temperature: above 0 the network is still too sure.
        if (expected - own).mean() > 0:
            low = middle
        else:
            high = middle
    best = float(np.exp((low + high) / 2))
    return best if mean_log_loss(logits, classes, best) < mean_log_loss(logits, classes, 1.0) else 1.0
