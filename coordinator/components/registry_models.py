"""The signal-quality models of a ledger's registry, loaded once each: at a candle the one that had not seen it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.quality import load_model
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.retraining import Champion
from coordinator.ledger.registry import Model, ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.ledger.succession import Succession
from coordinator.settings.quality import QualitySettings
from coordinator.signals.clock import series_name
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Floats, Ints, Times

__all__ = ["MODEL_FOLDER", "NoChampionError", "RegistryModels", "registry_name"]

MODEL_FOLDER = "coordinator-quality"
"""Folder of the model files within ``models`` of the user directory."""

TRAIN_FIRST = "exist: train one with `coordinator quality train`"
NONE_GOOD = (
    "be promoted: {} were trained and none was good enough (`coordinator learning history` says why); collect more "
    "samples, or try other settings of quality with `coordinator quality train --anew`"
)


def registry_name(clock: str, slowest: str) -> str:
    """Name under which the models of a clock stand in the registry, apart from FreqAI's own.

    Examples
    --------
    >>> registry_name("1d", "1d"), registry_name("4h", "1d")
    ('signal_quality', 'signal_quality_4h')
    """
    return series_name("signal_quality", clock, slowest).replace(" ", "_")


class NoChampionError(CoordinatorError):
    """Models were trained, and none was good enough: no mistake, but there is nothing to judge."""


class RegistryModels:
    """Reads champions of a name.

    Parameters
    ----------
    ledger : Ledger
    name : str
    settings : QualitySettings
    folder : Path
        Where a model's file is looked for by its name if it is not where it was written.
    """

    def __init__(self, ledger: Ledger, name: str, settings: QualitySettings, folder: Path) -> None:
        self.name = name
        self._ledger, self._settings, self._folder = ledger, settings, folder
        self._loaded: dict[str, QualityModel] = {}

    @property
    def ledger_name(self) -> str:
        """File, or URL without its password."""
        return self._ledger.database.name

    def succession(self) -> Succession:
        """The champions as of now; none where no model was good enough yet.

        Raises
        ------
        CoordinatorError
            Without a ledger, or where no model was ever trained.
        """
        where = self._ledger.database.name
        if not self._ledger.database.exists:
            raise CoordinatorError("ledger", where, TRAIN_FIRST, "no such file")
        found = ModelRegistry(self._ledger).succession(self.name)
        if not found.champions and not ModelRegistry(self._ledger).models(self.name):
            raise CoordinatorError(f"model {self.name}", where, TRAIN_FIRST, "none")
        return found

    def champion(self, at: int | None = None) -> Model:
        """Who speaks for the candle at a time, by default for the newest ones.

        Raises
        ------
        NoChampionError
            If nobody does.
        """
        found = self.succession()
        model = found.last if at is None else found.at(at)
        if model is None:
            trained = len(ModelRegistry(self._ledger).models(self.name))
            raise NoChampionError(f"model {self.name}", self.ledger_name, NONE_GOOD.format(trained), "none")
        return model

    def last_champion(self) -> tuple[Model, Champion] | None:
        """The newest champion, with the time before which all that it learnt from was known."""
        if not self._ledger.database.exists:
            return None
        model = ModelRegistry(self._ledger).succession(self.name).last
        if model is None:
            return None
        return model, Champion(self.load(model), int(model.info.metrics["learnt_before"]))

    def load(self, model: Model) -> QualityModel:
        """A model's file; it must be what was registered.

        Raises
        ------
        CoordinatorError
            If the file is gone or has other contents.
        """
        info = model.info
        if info.file_hash not in self._loaded:
            path = Path(info.file)
            path = path if path.is_file() else self._folder / path.name
            owner = f"model {model.id} of {self._ledger.database.name}"
            if not path.is_file():
                raise CoordinatorError(
                    "file", owner, "exist, or be retrained (`learning retrain --force`)", info.file
                )
            if hashlib.sha256(path.read_bytes()).hexdigest() != info.file_hash:
                raise CoordinatorError("file", owner, "be as it was registered (SHA-256)", str(path))
            self._loaded[info.file_hash] = load_model(path, self._settings, info.kind)
        return self._loaded[info.file_hash]

    def scores(self, x: Floats, times: Times, schema: FeatureSchema, succession: Succession) -> Floats:
        """Each row's score by the champion that spoke for its candle, shape (n,); NaN where nobody did."""
        out = np.full(len(times), np.nan)
        places: Ints = succession.places(times)
        for place in np.unique(places[places >= 0]).tolist():
            model, rows = succession.champions[place], places == place
            assert model is not None  # places are only of those that speak
            out[rows] = self.load(model).predict_proba(x[rows], schema)
        return out
