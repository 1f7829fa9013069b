"""How far the members of an ensemble are apart, and what is left of their confidence. Pure functions."""

from __future__ import annotations

import numpy as np

from coordinator.types import Floats

__all__ = ["disagreement", "doubted"]


def disagreement(each: Floats) -> Floats:
    """Mutual information of the answer and the member that gives it, as a share of its most, 0..1; shape (n,).

    The entropy of the mean less the mean entropy, by the logarithm of the number of classes: 0 where all members say
    the same, however unsure that is, 1 where each is certain and all classes are named alike.

    Parameters
    ----------
    each : ndarray of shape (n_members, n, n_classes)
        Each member's probabilities.

    References
    ----------
    B. Lakshminarayanan, A. Pritzel, C. Blundell, "Simple and scalable predictive uncertainty estimation using deep
    ensembles", NeurIPS 2017. S. Depeweg, J. M. Hernandez-Lobato, F. Doshi-Velez, S. Udluft, "Decomposition of
    uncertainty in Bayesian deep learning for efficient and risk-sensitive learning", ICML 2018.

    Examples
    --------
    >>> disagreement(np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]])).tolist()
    [0.0, 1.0]
    """
    information = _entropy(each.mean(axis=0)) - _entropy(each).mean(axis=0)
    return np.asarray(np.clip(information / np.log(each.shape[-1]), 0.0, 1.0))


def doubted(mean: Floats, doubt: Floats) -> Floats:
    """(1 - doubt) x mean + doubt / n_classes: nothing is left of full disagreement but that all is possible.

    The likeliest class stays the likeliest; its probability, which is the confidence, falls to
    (1 - doubt) x confidence + doubt / n_classes.

    Parameters
    ----------
    mean : ndarray of shape (n, n_classes), probabilities
    doubt : ndarray of shape (n,), 0..1

    Examples
    --------
    >>> doubted(np.array([[0.7, 0.2, 0.1]]), np.array([0.3])).round(2).tolist()
    [[0.59, 0.24, 0.17]]
    """
    weight = doubt[:, None]
    return np.asarray((1.0 - weight) * mean + weight / mean.shape[-1])


def _entropy(p: Floats) -> Floats:
    """Along the last axis, nats."""
    return np.asarray(-(p * np.log(np.maximum(p, np.finfo(np.float64).tiny))).sum(axis=-1))
