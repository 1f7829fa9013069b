"""One round of continuous learning: look for drift, train when it is due, promote what is better, go back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coordinator.components.drift_check import drift_event, model_drift
from coordinator.components.quality_trainer import Trained
from coordinator.components.samples import Samples
from coordinator.errors import CoordinatorError
from coordinator.jobs.learning.context import LearningContext, day_text
from coordinator.learning.drift.watch import DriftReport
from coordinator.ledger.learning_events import LearningEvent, add_event
from coordinator.ledger.registry import Model, ModelRegistry
from coordinator.types import SECONDS_PER_DAY

__all__ = ["Round", "check_clock", "cycle_clock", "newest_candle", "retrain_clock", "rollback_clock"]


@dataclass(frozen=True)
class Round:
    """What was done for a clock.

    Attributes
    ----------
    name : of the models
    trigger : "due", "drift", "forced" or "" where nothing was to be done
    sentence : in words
    trained : the training, None without one
    drift : the drift check, None without one
    """

    name: str
    trigger: str
    sentence: str
    trained: Trained | None = None
    drift: DriftReport | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON types."""
        model = None if self.trained is None else self.trained.model
        return {
            "name": self.name,
            "trigger": self.trigger,
            "sentence": self.sentence,
            "promoted": bool(self.trained and self.trained.verdict.promoted),
            "model": None if model is None else model.id,
            "drift": None if self.drift is None else self.drift.as_json(),
        }


def newest_candle(samples: Samples) -> int:
    """Where the samples stand: after the newest outcome or sample, the next candle's open."""
    rows = samples.rows
    return int(max(rows.time.max(), rows.outcome_time.max())) + rows.candle_seconds


def check_clock(context: LearningContext, clock: str) -> Round:
    """Look for drift of the champion and keep what was found.

    Raises
    ------
    CoordinatorError
        Without a champion or samples.
    """
    trainer, samples = context.trainer(clock), context.samples(clock)
    model = trainer.models.champion()
    now = newest_candle(samples)
    report = model_drift(model, trainer.models.load, samples, context.settings.on_clock(clock), now)
    if report is None:
        return Round(trainer.name, "", f"{trainer.name}: the model keeps nothing to compare with; retrain it")
    add_event(context.ledger, drift_event(trainer.name, model, now, report))
    said = f"{trainer.name}: {'drift' if report.drifted else 'no drift'}: {report.sentence}"
    return Round(trainer.name, "drift" if report.drifted else "", said, drift=report)


def retrain_clock(context: LearningContext, clock: str, trigger: str = "") -> Round:
    """Train on all samples where it is due, or for a reason; promote the model only if it is better.

    Parameters
    ----------
    trigger : "drift" or "forced" train whatever the age
    """
    trainer, samples = context.trainer(clock), context.samples(clock)
    trainer.check_settings()
    last, now = trainer.trained_until(), newest_candle(samples)
    days = context.settings.continuous_learning.retrain_days
    if last is not None and now <= last:
        return Round(
            trainer.name, "", f"{trainer.name}: no sample is newer than the last training ({day_text(last)})"
        )
    if not trigger and last is not None and now - last < days * SECONDS_PER_DAY:
        due = day_text(last + days * SECONDS_PER_DAY)
        return Round(trainer.name, "", f"{trainer.name}: trained at {day_text(last)}, due again on {due}")
    reason = trigger or "due"
    trained = trainer.train(samples, now, reason)
    return Round(trainer.name, reason, f"{trainer.name} ({reason}): {trained.verdict.sentence}", trained)


def cycle_clock(context: LearningContext, clock: str) -> Round:
    """Drift check, then a training where it is due or the model has drifted."""
    trainer = context.trainer(clock)
    drift: DriftReport | None = None
    said = []
    if (
        context.ledger.database.exists
        and ModelRegistry(context.ledger).succession(trainer.name).last is not None
    ):
        checked = check_clock(context, clock)
        drift, said = checked.drift, [checked.sentence]
    found = retrain_clock(context, clock, "drift" if drift is not None and drift.drifted else "")
    return Round(found.name, found.trigger, "; ".join([*said, found.sentence]), found.trained, drift)


def rollback_clock(context: LearningContext, clock: str) -> Round:
    """Make the champion before the last one champion again, from the newest sample on.

    Raises
    ------
    CoordinatorError
        Where there was none before.
    """
    trainer, registry = context.trainer(clock), ModelRegistry(context.ledger)
    succession = trainer.models.succession()
    now: Model | None = succession.last
    earlier = [m for m in succession.champions if m is not None and (now is None or m.id != now.id)]
    if not earlier:
        where = context.ledger.database.name
        found = "none at all" if now is None else f"model {now.id} alone"
        raise CoordinatorError(f"model {trainer.name}", where, "have had another champion before", found)
    before = earlier[-1]
    at = max(newest_candle(context.samples(clock)), succession.times[-1] + 1, before.info.valid_from)
    registry.promote(before.id, at, f"rolled back from model {'none' if now is None else now.id}")
    sentence = f"{trainer.name}: model {before.id} speaks again from {day_text(at)} on"
    event = LearningEvent(
        trainer.name, "rollback", datetime.now(UTC), sentence, time_until=at, model_id=before.id
    )
    add_event(context.ledger, event)
    return Round(trainer.name, "rollback", sentence)
