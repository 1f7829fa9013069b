"""Trains signal quality on collected samples and enters each model with its verdict into the registry."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coordinator.components.model_files import as_file_name
from coordinator.components.quality import training_details
from coordinator.components.registry_models import RegistryModels, registry_name
from coordinator.components.samples import Samples, stored_schema
from coordinator.errors import CoordinatorError
from coordinator.learning.promotion import Verdict
from coordinator.learning.retraining import Retraining, retrain
from coordinator.ledger.learning_events import LearningEvent, add_event
from coordinator.ledger.registry import Model, ModelInfo, ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.settings import Settings
from coordinator.signals.candles import timeframe_seconds
from coordinator.whole_file import write_whole

__all__ = ["QualityTrainer", "Trained"]

NOT_LEARNT = (
    *("source", "holdout_share", "threads", "retrain_days", "schema_mismatch"),
    *("online_days", "online_rate"),
)
"""Settings of quality that change no model."""


@dataclass(frozen=True)
class Trained:
    """Result of a training at a candle.

    Attributes
    ----------
    at : int, seconds
    model : Model or None
        The challenger as registered; None where there was too little to train on.
    verdict : Verdict
    """

    at: int
    model: Model | None
    verdict: Verdict


class QualityTrainer:
    """Trains the models of a clock, one after the other in candle time.

    Parameters
    ----------
    ledger : Ledger
        Whose registry the models go to.
    folder : Path
        Where model files are written.
    settings : Settings
    clock : str
    """

    def __init__(self, ledger: Ledger, folder: Path, settings: Settings, clock: str) -> None:
        own = settings.on_clock(clock)
        self.name = registry_name(clock, settings.clock_names[0])
        self._ledger, self._folder, self._settings = ledger, folder, own
        self._registry = ModelRegistry(ledger)
        self.models = RegistryModels(ledger, self.name, own.quality, folder)
        panel_seconds = own.quality.panel_horizon * own.baseline.clock_seconds
        seconds = panel_seconds if own.quality.samples == "panel" else own.time_limit
        self._candle_seconds = timeframe_seconds("1h")
        self._horizon = seconds // self._candle_seconds

    def trained_until(self) -> int | None:
        """Candle at which the newest training stood, None before the first."""
        if not self._ledger.database.exists:
            return None
        return max(
            (int(m.info.metrics["trained_at"]) for m in self._registry.models(self.name)), default=None
        )

    def check_settings(self) -> None:
        """Refuse to go on with models that were trained with other settings.

        Raises
        ------
        CoordinatorError
            Saying what to type.
        """
        found = self._registry.models(self.name) if self._ledger.database.exists else ()
        if not found:
            return
        then, now = found[-1].info.metrics["settings"], self._fingerprint()
        changed = [name for name in now if then.get(name) != now[name]]
        if changed:
            rule = (
                f"be {then.get(changed[0])!r} as for the models that are there; "
                "`coordinator quality train --anew` puts them away and begins again"
            )
            raise CoordinatorError(f"quality.{changed[0]}", "the coordinator section", rule, now[changed[0]])

    def train(self, samples: Samples, at: int, trigger: str, until: int | None = None) -> Trained:
        """Train on what was known before a candle, judge, write the file, and enter model and verdict.

        They and what `coordinator learning history` shows are one transaction; the file is written before.

        Parameters
        ----------
        trigger : why, e.g. "due"
        until : begin of the holdout, where the training is one of several up to it
        """
        current = self.models.last_champion()
        champion = None if current is None else current[1]
        own = self._settings
        result = retrain(samples.rows, own.quality, at, champion, own.continuous_learning)
        if result.challenger is None or result.health is None:
            if until is None:
                add_event(self._ledger, self._event(result, at, trigger, until))
            return Trained(at, None, result.verdict)
        content = result.challenger.to_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{as_file_name(self.name)}-{at}-{digest[:8]}{result.challenger.suffix}"
        write_whole(path, content)
        info = ModelInfo(
            name=self.name,
            kind=result.challenger.kind,
            trained_from=result.trained_from,
            trained_until=result.trained_until,
            label_horizon=self._horizon,
            candle_seconds=self._candle_seconds,
            features=stored_schema(samples.rows.schema),
            metrics=self._metrics(result, at),
            file=str(path.resolve()),
            file_hash=digest,
        )
        verdict = result.verdict
        event = self._event(result, at, trigger, until)
        model = self._registry.enter(info, at, verdict.sentence, promoted=verdict.promoted, event=event)
        return Trained(at, model, verdict)

    def _event(self, result: Retraining, at: int, trigger: str, until: int | None) -> LearningEvent:
        return LearningEvent(
            self.name,
            "trained",
            datetime.now(UTC),
            result.verdict.sentence,
            time_from=result.trained_from or None,
            time_until=at,
            figures={"trigger": trigger, "promoted": result.verdict.promoted, "holdout": until},
        )

    def _metrics(self, result: Retraining, at: int) -> dict[str, Any]:
        assert result.health is not None
        numbers = {
            **{k: float(v) for k, v in vars(result.health).items() if isinstance(v, int | float)},
            "challenger_auc": result.verdict.challenger_auc,
            "champion_auc": result.verdict.champion_auc,
            "judged_log_loss": result.verdict.log_loss,
            "judged_prior_log_loss": result.verdict.prior_log_loss,
        }
        return {
            **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
            **training_details(result),
            "settings": self._fingerprint(),
            "trained_at": at,
            "learnt_before": result.judged_from,
            "prior": result.prior,
        }

    def _fingerprint(self) -> dict[str, Any]:
        dumped = self._settings.quality.model_dump(mode="json")
        return {name: value for name, value in dumped.items() if name not in NOT_LEARNT}
