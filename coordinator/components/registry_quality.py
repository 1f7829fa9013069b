"""Signal quality by the models of a ledger's registry (``quality.source`` "registry"), instead of training its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from coordinator.components.component import ActiveModel, TrainingResult, Window
from coordinator.components.model_files import ModelVerdict
from coordinator.components.quality import QualityComponent
from coordinator.components.registry_models import RegistryModels, registry_name
from coordinator.learning.promotion import Verdict
from coordinator.ledger.store import Ledger
from coordinator.ledger.succession import Succession
from coordinator.settings import Settings
from coordinator.types import Floats, Times

__all__ = ["RegistryPlace", "RegistryQuality"]

NOT_JUDGED = float("nan")


@dataclass(frozen=True)
class RegistryPlace:
    """Where models are: the ledger of their registry, and the folder of their files."""

    ledger: Ledger
    folder: Path


class RegistryQuality(QualityComponent):
    """Votes as ``QualityComponent`` does, with the model that was champion at each candle and had not seen it.

    A training takes what the registry has and trains nothing; each prediction asks the registry anew, so that a bot
    follows a promotion or a rollback with its next candle.
    """

    def __init__(self, settings: Settings, place: RegistryPlace, clock: str | None = None) -> None:
        super().__init__(settings, clock)
        own = settings.on_clock(self._clock)
        name = registry_name(self._clock, settings.clock_names[0])
        self.models = RegistryModels(place.ledger, name, own.quality, place.folder)

    def train(self, window: Window, previous: ActiveModel | None) -> TrainingResult:
        succession = self.models.succession()
        champions = [model for model in succession.champions if model is not None]
        if not champions:
            return self._result(None, f"no model: none of those in {self.models.ledger_name} was good enough")
        first, last = champions[0], champions[-1]
        active = ActiveModel(self.models.name, 0, max(succession.times[0], first.info.valid_from))
        sentence = (
            f"{len(champions)} models of the registry, the newest of them number {last.id}: {last.verdict}"
        )
        return self._result(active, sentence)

    def _result(self, active: ActiveModel | None, sentence: str) -> TrainingResult:
        """A training in which nothing was trained."""
        return TrainingResult(
            active=active,
            verdict=Verdict(False, sentence, *(NOT_JUDGED,) * 4),
            kind=self._settings.model_type,
            suffix="",
            content=b"",
            trained_from=0,
            trained_until=0,
            label_horizon=self._horizon,
            schema=self.schema,
        )

    def verdicts(self) -> list[ModelVerdict]:
        """The champions as verdicts of this component, for the ledger of the run that they vote in; oldest first."""
        succession = self.models.succession()
        return [
            ModelVerdict(
                time=time,
                name=self.name,
                promoted=True,
                sentence=f"model {model.id} of {self.models.name} in {self.models.ledger_name}: {model.verdict}",
                metrics=dict(model.info.metrics),
                file=model.info.file,
                file_hash=model.info.file_hash,
                kind=model.info.kind,
                trained_from=model.info.trained_from,
                trained_until=model.info.trained_until,
                label_horizon=model.info.label_horizon,
                features=model.info.features.names,
                features_version=int(model.info.features.version),
            )
            for time, model in zip(succession.times, succession.champions, strict=True)
            if model is not None
        ]

    def _model_scores(self, active: ActiveModel, x: Floats, times: Times) -> Floats:
        return self.models.scores(x, times, self.schema, self.models.succession())

    def digest(self) -> str:
        """Hash of the succession: predictions that were stored under another one are not its own."""
        return succession_digest(self.models.succession())


def succession_digest(succession: Succession) -> str:
    """Hash of who speaks from when on."""
    pairs = zip(succession.times, succession.champions, strict=True)
    said = [(time, None if model is None else model.info.file_hash) for time, model in pairs]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]
