"""A bot's watch over its signal-quality models: once a day what came since the training is compared with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from coordinator.components.drift_check import drift_event, model_drift
from coordinator.components.learning_lock import learning_lock
from coordinator.components.quality_trainer import QualityTrainer
from coordinator.components.registry_models import MODEL_FOLDER, RegistryModels, registry_name
from coordinator.components.samples import read_samples
from coordinator.errors import CoordinatorError
from coordinator.ledger.learning_events import add_event
from coordinator.ledger.registry import ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings
from coordinator.settings.alerts import Tell
from coordinator.signals.clock import series_name
from coordinator.types import SECONDS_PER_DAY

__all__ = ["DriftWatch"]

logger = logging.getLogger(__name__)


class DriftWatch:
    """Looks for drift, alerts once a model, and has it trained anew. A failure is a warning, never the bot's end.

    Models of FreqAI are trained anew by FreqAI; those of the registry here, at once: a second or two.

    Parameters
    ----------
    config : Freqtrade's
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._user_data = Path(config["user_data_dir"])
        self._day: int | None = None
        self._alerted: set[str] = set()

    def check(
        self,
        ledger: Ledger,
        settings: Settings,
        now: int,
        tell: Tell,
        retrain: Callable[[], None],
    ) -> None:
        """Called with every candle; once a day it does something.

        Parameters
        ----------
        now : open time of the newest closed candle
        """
        if not settings.continuous_learning.drift_check or self._day == now // SECONDS_PER_DAY:
            return
        first, self._day = self._day is None, now // SECONDS_PER_DAY
        if first:
            return  # a bot's start has enough to do
        for clock in settings.clock_names:
            try:
                self._check_clock(ledger, settings, clock, now, tell, retrain)
            except (CoordinatorError, SQLAlchemyError, ValueError, KeyError) as error:
                logger.warning("Drift could not be checked on %s: %s: %s", clock, type(error).__name__, error)

    def _check_clock(
        self,
        ledger: Ledger,
        settings: Settings,
        clock: str,
        now: int,
        tell: Tell,
        retrain: Callable[[], None],
    ) -> None:
        own, slowest = settings.on_clock(clock), settings.clock_names[0]
        in_registry = own.quality.source == "registry"
        freqai_name = series_name("quality", clock, slowest).replace(" ", "_")
        name = registry_name(clock, slowest) if in_registry else freqai_name
        folder = self._user_data / "models" / MODEL_FOLDER
        model = ModelRegistry(ledger).succession(name).at(now)
        if model is None:
            return
        samples = read_samples(ledger, settings, clock)
        models = RegistryModels(ledger, name, own.quality, folder)
        report = model_drift(model, models.load, samples, own, now)
        if report is None:
            return
        logger.info("Drift of %s: %s", name, report.sentence)
        add_event(ledger, drift_event(name, model, now, report))
        if not report.drifted or model.info.file_hash in self._alerted:
            return
        said = f"Coordinator: {name} has drifted: {report.sentence}"
        if not in_registry:
            self._alerted.add(model.info.file_hash)
            tell("drift", model.info.file_hash, f"{said}; it is trained anew")
            retrain()
            return
        trainer = QualityTrainer(ledger, folder, settings, clock)
        with learning_lock(self._user_data):
            trained = trainer.train(samples, now, "drift")
        self._alerted.add(model.info.file_hash)
        tell("drift", model.info.file_hash, f"{said}; trained anew: {trained.verdict.sentence}")
