"""How continuous learning stands, and what was done so far."""

from __future__ import annotations

from typing import Any

from coordinator.components.samples import Samples
from coordinator.errors import CoordinatorError
from coordinator.jobs.learning.context import LearningContext, day_text
from coordinator.jobs.learning.cycle import newest_candle
from coordinator.ledger.learning_events import learning_events
from coordinator.ledger.registry import ModelRegistry
from coordinator.types import SECONDS_PER_DAY

__all__ = ["clock_history", "clock_status"]


def clock_status(context: LearningContext, clock: str) -> dict[str, Any]:
    """Samples, champion, last training, whether one is due, last drift check; JSON types."""
    trainer = context.trainer(clock)
    samples: Samples | None = None
    problem = ""
    try:
        samples = context.samples(clock)
    except CoordinatorError as error:
        problem = str(error)
    exists = context.ledger.database.exists
    registry = ModelRegistry(context.ledger)
    champion = registry.succession(trainer.name).last if exists else None
    last = trainer.trained_until()
    now = None if samples is None else newest_candle(samples)
    due = None if last is None else last + context.settings.continuous_learning.retrain_days * SECONDS_PER_DAY
    drifts = learning_events(context.ledger, trainer.name, "drift") if exists else []
    return {
        "name": trainer.name,
        "clock": clock,
        "source": context.settings.quality.source,
        "ledger": context.ledger.database.name,
        "samples": 0 if samples is None else len(samples.rows),
        "resolved": 0 if samples is None else int((samples.rows.outcome_time >= 0).sum()),
        "newest": None if now is None else day_text(now),
        "models": len(registry.models(trainer.name)) if exists else 0,
        "champion": None if champion is None else champion.id,
        "champion_until": None if champion is None else day_text(champion.info.trained_until),
        "champion_verdict": None if champion is None else champion.verdict,
        "trained_at": None if last is None else day_text(last),
        "due": now is not None and (due is None or now >= due),
        "due_on": None if due is None else day_text(due),
        "drift": drifts[-1].sentence if drifts else None,
        "drift_checked": f"{drifts[-1].at:%Y-%m-%d %H:%M}" if drifts else None,
        "problem": problem,
    }


def clock_history(context: LearningContext, clock: str) -> list[dict[str, Any]]:
    """Everything that was done with a clock's models, the oldest first; JSON types.

    Raises
    ------
    CoordinatorError
        Without a ledger.
    """
    name = context.trainer(clock).name
    return [
        {
            "at": event.at.isoformat(timespec="seconds"),
            "name": name,
            "kind": event.kind,
            "model": event.model_id,
            "until": None if event.time_until is None else day_text(event.time_until),
            "trigger": event.figures.get("trigger", ""),
            "sentence": event.sentence,
        }
        for event in learning_events(context.ledger, name)
    ]
