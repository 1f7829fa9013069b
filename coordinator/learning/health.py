"""Health of a signal-quality model on signals that it was not trained on: every figure the report prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.controls import has_failed
from coordinator.learning.drift.stability import DriftReference, psi
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.reliability import brier, brier_skill, ece
from coordinator.learning.scores import auc, log_loss, mean_r_of_top
from coordinator.types import Floats

__all__ = ["Health", "latency_seconds", "measure_health", "permutation_importance"]

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True)
class Health:
    """Figures on test signals; an AUC is NaN where all won or all lost.

    Attributes
    ----------
    signals : int
    base_rate : float, share of the test signals that won
    accuracy : float, share classified right when the cut is at the training base rate
    auc, brier, brier_skill, ece, log_loss : float
        Brier skill is measured against the training base rate, known beforehand.
    prior_log_loss : float, of the constant training base rate
    train_auc, gap : float, AUC on the training signals, and how far it is above the test AUC
    confidence : tuple of float, quantiles 0, 10, 25, 50, 75, 90, 100 % of the scores
    top_30_r, top_10_r, all_r : float, mean R of the best-scored share
    score_drift : float, PSI of the scores between training and test
    feature_drift : float, mean PSI of the features
    drifted : tuple of str, the five features that moved most
    failed : bool, log loss above the prior's
    """

    signals: int
    base_rate: float
    accuracy: float
    auc: float
    brier: float
    brier_skill: float
    ece: float
    log_loss: float
    prior_log_loss: float
    train_auc: float
    gap: float
    confidence: tuple[float, ...]
    top_30_r: float
    top_10_r: float
    all_r: float
    score_drift: float
    feature_drift: float
    drifted: tuple[str, ...]
    failed: bool

    def as_dict(self) -> dict[str, object]:
        """Plain JSON types."""
        return asdict(self)


def measure_health(
    model: QualityModel,
    train: tuple[Floats, Floats],
    test: tuple[Floats, Floats, Floats],
    features: DriftReference,
    scores: DriftReference,
) -> Health:
    """Measure a model.

    Parameters
    ----------
    train : (x, y)
        What it was trained on.
    test : (x, y, r)
        Later resolved signals; labels y in 0..1 (soft ones count as won from .5 on), outcomes r in R.
    features, scores : DriftReference
        Of the training features, and of the training scores as one column.

    Raises
    ------
    CoordinatorError
        Without test signals.
    """
    (x_train, y_train), (x, y, r) = train, test
    if not len(y):
        raise CoordinatorError("test signals", "measure_health", "be one or more", 0)
    p, p_train = model.predict_proba(x), model.predict_proba(x_train)
    won, prior = y >= 0.5, float(y_train.mean())
    moved = psi(features, x)
    loss, prior_loss = log_loss(p, y), log_loss(np.full(len(y), prior), y)
    test_auc, train_auc = auc(p, won), auc(p_train, y_train >= 0.5)
    return Health(
        signals=len(y),
        base_rate=float(won.mean()),
        accuracy=float(((p >= prior) == won).mean()),
        auc=test_auc,
        brier=brier(p, won),
        brier_skill=brier_skill(p, won, prior),
        ece=ece(p, won),
        log_loss=loss,
        prior_log_loss=prior_loss,
        train_auc=train_auc,
        gap=train_auc - test_auc,
        confidence=tuple(np.quantile(p, QUANTILES).tolist()),
        top_30_r=mean_r_of_top(p, r, 0.3),
        top_10_r=mean_r_of_top(p, r, 0.1),
        all_r=float(r.mean()),
        score_drift=float(psi(scores, p[:, None])[0]),
        feature_drift=float(moved.mean()),
        drifted=tuple(model.schema.names[column] for column in np.argsort(-moved, kind="stable")[:5]),
        failed=has_failed(loss, prior_loss),
    )


def permutation_importance(
    model: QualityModel, x: Floats, won: Floats, seed: int, repeats: int = 3
) -> dict[str, float]:
    """AUC that is lost when a feature's values are dealt out at random (Breiman 2001); by name.

    Near zero or below is a feature that does not help on these rows.

    Parameters
    ----------
    x : ndarray of shape (n, n_features)
        Test rows; only copies are shuffled.
    won : ndarray of shape (n,)
        0..1.
    """
    rng, winners = np.random.default_rng(seed), won >= 0.5
    whole = auc(model.predict_proba(x), winners)
    shuffled, out = x.copy(), {}
    for column, name in enumerate(model.schema.names):
        lost = []
        for _ in range(repeats):
            shuffled[:, column] = x[rng.permutation(len(x)), column]
            lost.append(whole - auc(model.predict_proba(shuffled), winners))
        shuffled[:, column] = x[:, column]
        out[name] = float(np.mean(lost))
    return out


def latency_seconds(model: QualityModel, x: Floats, clock: Callable[[], float]) -> Floats:
    """Seconds that each row's prediction takes alone, shape (n,).

    Parameters
    ----------
    clock : callable
        ``time.perf_counter``, say; the library itself reads no clock.
    """
    out = np.empty(len(x))
    for row in range(len(x)):
        begin = clock()
        model.predict_proba(x[row : row + 1])
        out[row] = clock() - begin
    return out
