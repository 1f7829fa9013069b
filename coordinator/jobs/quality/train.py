"""Walk-forward training on collected samples: one model a fold, in candle time, up to the holdout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coordinator.components.quality_trainer import Trained
from coordinator.components.samples import Samples
from coordinator.errors import CoordinatorError
from coordinator.jobs.learning.context import LearningContext, day_text
from coordinator.ledger.learning_events import learning_events
from coordinator.ledger.registry import ModelRegistry
from coordinator.types import SECONDS_PER_DAY

__all__ = ["WALK_FORWARD", "WalkForward", "holdout_start", "train_walk_forward"]

WALK_FORWARD = "walk-forward"
"""Trigger of the trainings up to the holdout, in their events."""


@dataclass(frozen=True)
class WalkForward:
    """What a clock's training came to.

    Attributes
    ----------
    name : of the models in the registry
    until : begin of the holdout, seconds
    folds : those trained now, oldest first
    before : how many were there already
    """

    name: str
    until: int
    folds: list[Trained]
    before: int


def train_walk_forward(
    context: LearningContext,
    clock: str,
    until: int | None = None,
    *,
    anew: bool = False,
    on_fold: Callable[[int, int, Trained], None] = lambda number, count, trained: None,
) -> WalkForward:
    """Train at every fold's edge on what was known before it; what comes after ``until`` is left alone.

    Folds lie on a grid of ``quality.retrain_days`` from 1970 on, so that further samples continue them. Each model
    goes into the registry with its verdict in one transaction: an interrupted training is continued by the next.

    Parameters
    ----------
    until : seconds; by default where the holdout began before, else ``quality.holdout_share`` before the newest sample
    anew : whether models that are there are put away first
    on_fold : called with a fold's number, how many there are, and its result

    Raises
    ------
    CoordinatorError
        With too few samples, with models of other settings, or where a model is there that has seen the holdout.
    """
    samples = context.samples(clock)
    trainer = context.trainer(clock)
    if anew:
        ModelRegistry(context.ledger).archive(trainer.name)
    trainer.check_settings()
    end = until if until is not None else holdout_start(context, trainer.name, samples)
    last = trainer.trained_until()
    if last is not None and last > end:
        rule = (
            f"be {day_text(last)} or later, where a model was trained: `coordinator learning cycle` goes on from "
            "there, `--anew` puts the models away"
        )
        raise CoordinatorError("--until", "coordinator quality train", rule, day_text(end))
    edges = _edges(samples, end, context.settings.on_clock(clock).quality.retrain_days * SECONDS_PER_DAY)
    todo = [edge for edge in edges if last is None or edge > last]
    folds = []
    for number, edge in enumerate(todo, start=1):
        trained = trainer.train(samples, edge, WALK_FORWARD, end)
        if trained.model is not None:
            folds.append(trained)
        on_fold(number, len(todo), trained)
    if not folds and last is None:
        least = context.settings.on_clock(clock).quality.minimum_samples
        rule = f"hold {least} resolved ones to learn from and as many to judge by before {day_text(end)}"
        raise CoordinatorError("samples", context.ledger.database.name, rule, len(samples.rows))
    return WalkForward(trainer.name, end, folds, len(edges) - len(todo))


def holdout_start(context: LearningContext, name: str, samples: Samples) -> int:
    """Where the holdout begins: where it did before, else by ``quality.holdout_share``; seconds, midnight."""
    here = {model.id for model in ModelRegistry(context.ledger).models(name)}
    walked = [event for event in learning_events(context.ledger, name, "trained") if event.model_id in here]
    starts = [int(event.figures["holdout"]) for event in walked if event.figures["holdout"] is not None]
    if starts:
        return starts[-1]
    times = samples.rows.time[samples.rows.outcome_time >= 0]
    first, last = int(times.min()), int(times.max())
    start = last - context.settings.quality.holdout_share * (last - first)
    return int(start // SECONDS_PER_DAY) * SECONDS_PER_DAY


def _edges(samples: Samples, end: int, step: int) -> list[int]:
    first = int(np.min(samples.rows.time))
    grid = range((first // step + 1) * step, end, step)
    return [*grid, end]
