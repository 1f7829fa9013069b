"""Champion and challenger: a new model replaces the old one only where it is better on the newest purged slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.learning.controls import has_failed
from coordinator.learning.scores import auc, log_loss
from coordinator.types import Floats

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True)
class Verdict:
    """What became of a challenger.

    Attributes
    ----------
    promoted : bool
    sentence : str
        For the log and the ledger, both figures in it.
    challenger_auc, champion_auc : float
        On the slice; NaN where it has one class only, or where there is no champion.
    log_loss, prior_log_loss : float
        Of the challenger, and of the base rate of its training labels.
    """

    promoted: bool
    sentence: str
    challenger_auc: float
    champion_auc: float
    log_loss: float
    prior_log_loss: float


def judge(
    y: Floats, challenger: Floats, champion: Floats | None, base_rate: float, margin: float = 0.005
) -> Verdict:
    """Compare two models' scores on a slice that neither was trained on.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Labels of the newest purged slice, 0..1 (soft ones count as won from .5 on).
    challenger, champion : ndarray of shape (n,)
        Scores; None for the champion where there is none yet: then an AUC above .5 is enough.
    base_rate : float
        Mean of the challenger's training labels: the constant that it must beat.
    margin : float
        AUC by which it must beat the champion; exactly the margin is enough.

    Examples
    --------
    >>> y = np.array([0.0, 1.0, 0.0, 1.0])
    >>> judge(y, np.array([0.4, 0.6, 0.4, 0.6]), np.array([0.4, 0.6, 0.4, 0.6]), 0.5).sentence
    'kept current model: AUC improvement below threshold (1.000 against 1.000, margin .005)'
    """
    won = y >= 0.5
    new = auc(challenger, won)
    old = float("nan") if champion is None else auc(champion, won)
    loss, prior = log_loss(challenger, y), log_loss(np.full(len(y), base_rate), y)
    figures = f"{_short(new)} against {_short(old)}, margin {_short(margin)}"
    if has_failed(loss, prior):
        kept = "no model" if champion is None else "kept current model"
        sentence = (
            f"{kept}: the new one failed, its log loss {_short(loss)} is above the prior's {_short(prior)}"
        )
        return Verdict(False, sentence, new, old, loss, prior)
    if champion is None:
        enough = new > 0.5
        figure = f"AUC {_short(new)}"
        sentence = f"promoted first model: {figure}" if enough else f"no model: {figure} is not above chance"
    elif np.isnan(new) or np.isnan(old):
        enough, sentence = False, "kept current model: the slice has winners or losers only"
    else:
        enough = bool(round(new - old, 12) >= margin)
        reason = (
            "promoted new model: AUC" if enough else "kept current model: AUC improvement below threshold"
        )
        sentence = f"{reason} {figures}" if enough else f"{reason} ({figures})"
    return Verdict(enough, sentence, new, old, loss, prior)


def _short(value: float) -> str:
    """Three digits without the leading zero, as in the documents: .537."""
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text
