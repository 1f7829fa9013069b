"""Whether a registered signal-quality model has drifted, by the samples that a ledger holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from coordinator.components.samples import Samples
from coordinator.learning.drift.watch import DriftReport, Scored, TrainingMarks, check_drift
from coordinator.learning.quality_models.base import QualityModel
from coordinator.ledger.learning_events import LearningEvent
from coordinator.ledger.registry import Model
from coordinator.settings import Settings

__all__ = ["DRIFT_MARKS", "drift_event", "model_drift"]

DRIFT_MARKS = "drift_marks"
"""Key of the training's marks among a registered model's metrics."""


def model_drift(
    model: Model, load: Callable[[Model], QualityModel], samples: Samples, settings: Settings, now: int
) -> DriftReport | None:
    """Compare what came since a model's training with what it was trained on.

    Parameters
    ----------
    load : gives the model of a registered file
    samples : of the model's clock
    settings : on that clock
    now : samples of this time (seconds) or later, and outcomes known then or later, are not looked at

    Returns
    -------
    DriftReport or None
        None where the model keeps nothing to compare with (it was trained before there was a drift check).
    """
    kept = model.info.metrics.get(DRIFT_MARKS)
    rows = samples.rows
    if not kept or not len(rows):
        return None
    marks = TrainingMarks.from_json(kept)
    order = np.argsort(rows.time, kind="stable")
    new = order[(rows.time[order] > model.info.trained_until) & (rows.time[order] < now)]
    judged_until = int(model.info.metrics["trained_at"])
    known = new[
        (rows.outcome_time[new] >= 0) & (rows.outcome_time[new] < now) & (rows.time[new] >= judged_until)
    ]
    p = load(model).predict_proba(rows.x[known], rows.schema)
    scored = Scored(rows.time[known], p, rows.label(settings.quality)[known])
    return check_drift(marks, rows.x[new], rows.schema.names, scored, settings.continuous_learning)


def drift_event(name: str, model: Model, now: int, report: DriftReport) -> LearningEvent:
    """A check as the ledger keeps it."""
    return LearningEvent(
        name,
        "drift",
        datetime.now(UTC),
        report.sentence,
        time_from=model.info.trained_until,
        time_until=now,
        model_id=model.id,
        figures=report.as_json(),
    )
