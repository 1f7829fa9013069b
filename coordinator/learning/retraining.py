"""Retraining signal quality: train a challenger, judge it beside the champion on the newest slice, keep the better.

Neither model was trained on the slice: the challenger is trained on what was known before it, the champion was
trained at least one slice earlier. The winner is not refitted on the slice, or the next challenger would learn from the
same rows as the champion and could never be better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from coordinator.learning.drift.stability import drift_reference
from coordinator.learning.drift.watch import Scored, TrainingMarks, training_marks
from coordinator.learning.health import Health, measure_health, permutation_importance
from coordinator.learning.promotion import Verdict, judge
from coordinator.learning.quality import train_model
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_rows import QualityRows
from coordinator.learning.walk_forward import Fold, newest_slice
from coordinator.settings.continuous_learning import ContinuousLearningSettings
from coordinator.settings.quality import QualitySettings
from coordinator.types import Floats

__all__ = ["Champion", "Retraining", "retrain"]

DAY = 86400


@dataclass(frozen=True)
class Champion:
    """A model in use, and the time before which all outcomes that it learnt from were known, in seconds."""

    model: QualityModel
    trained_until: int


@dataclass(frozen=True)
class Retraining:
    """What a retraining came to.

    Attributes
    ----------
    champion : Champion or None
        What to use from now on; None where there is no model yet.
    verdict : Verdict
    challenger : QualityModel or None
        None where there were too few signals to train or judge one.
    health : Health or None
        Of the challenger, on the slice.
    trained_from, trained_until : int
        First and last signal candle that the challenger has learnt from; 0 without one.
    permutation : mapping of feature to AUC lost on the slice when its values are dealt out at random
    marks : TrainingMarks or None
        What drift is measured against.
    judged_from : int
        Begin of the slice that judged it: all that the challenger learnt from was known before; 0 without one.
    prior : float
        Base rate of the challenger's training labels.
    """

    champion: Champion | None
    verdict: Verdict
    challenger: QualityModel | None = None
    health: Health | None = None
    trained_from: int = 0
    trained_until: int = 0
    permutation: Mapping[str, float] = field(default_factory=dict)
    marks: TrainingMarks | None = None
    judged_from: int = 0
    prior: float = float("nan")


def retrain(
    rows: QualityRows,
    settings: QualitySettings,
    now: int,
    champion: Champion | None = None,
    watch: ContinuousLearningSettings | None = None,
) -> Retraining:
    """Train on what was known before ``now`` and promote the new model if it has earned it.

    Parameters
    ----------
    rows : QualityRows
        Signals of all pairs; those whose outcome was not known before ``now`` are left alone.
    now : int
        Open time of the candle at which one stands.
    watch : how drift will be looked for, by default as the settings' defaults say
    """
    fold = newest_slice(
        rows.time,
        rows.outcome_time,
        now,
        settings.retrain_days * DAY,
        share=settings.test_share,
        not_before=0 if champion is None else champion.trained_until,
        train_seconds=settings.train_days * DAY,
        embargo_seconds=settings.embargo_candles * rows.candle_seconds,
        minimum=settings.minimum_samples,
    )
    y = rows.label(settings)
    if fold is None or np.ptp(y[fold.train]) == 0:
        return Retraining(champion, _too_few(int(rows.known_before(now).sum()), settings, champion))
    challenger = train_model(rows, settings, fold.train)
    x, tested = rows.x[fold.test], y[fold.test]
    prior = float(y[fold.train].mean())
    verdict = judge(
        tested,
        challenger.predict_proba(x),
        None if champion is None else champion.model.predict_proba(x, rows.schema),
        prior,
        settings.auc_margin,
    )
    winner = Champion(challenger, fold.start) if verdict.promoted else champion
    times = rows.time[fold.train]
    health = _health(challenger, rows, fold, settings)
    lost = permutation_importance(challenger, x, tested, settings.seed, repeats=1)
    marks = _marks(challenger, rows, fold, y, watch or ContinuousLearningSettings())
    first, last = int(times.min()), int(times.max())
    return Retraining(winner, verdict, challenger, health, first, last, lost, marks, fold.start, prior)


def _marks(
    challenger: QualityModel, rows: QualityRows, fold: Fold, y: Floats, watch: ContinuousLearningSettings
) -> TrainingMarks:
    """Of the training rows in time order, and of the judged slice."""
    train = fold.train[np.argsort(rows.time[fold.train], kind="stable")]
    test = fold.test[np.argsort(rows.time[fold.test], kind="stable")]
    label_days = float((rows.outcome_time[train] - rows.time[train]).mean()) / DAY
    judged = Scored(rows.time[test], challenger.predict_proba(rows.x[test]), y[test])
    return training_marks(rows.x[train], judged, max(label_days, 1.0), watch)


def _health(model: QualityModel, rows: QualityRows, fold: Fold, settings: QualitySettings) -> Health:
    y, x_train = rows.label(settings), rows.x[fold.train]
    return measure_health(
        model,
        (x_train, y[fold.train]),
        (rows.x[fold.test], y[fold.test], rows.r[fold.test]),
        drift_reference(x_train),
        drift_reference(model.predict_proba(x_train)[:, None]),
    )


def _too_few(known: int, settings: QualitySettings, champion: Champion | None) -> Verdict:
    kept, nan = "no model" if champion is None else "kept current model", float("nan")
    sentence = (
        f"{kept}: insufficient samples, {known} resolved signals are too few for {settings.minimum_samples} to learn "
        "from and as many to judge by"
    )
    return Verdict(False, sentence, nan, nan, nan, nan)
