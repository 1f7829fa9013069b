"""Model files and verdicts of the composite's trainings, and their entry into the ledger's registry."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from coordinator.components.component import TrainingResult
from coordinator.errors import CoordinatorError
from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.registry import ModelInfo, ModelRegistry
from coordinator.ledger.store import Ledger
from coordinator.whole_file import write_whole

__all__ = [
    "ModelFiles",
    "ModelVerdict",
    "as_file_name",
    "read_verdicts",
    "register_models",
    "speaking_models",
]

logger = logging.getLogger(__name__)

VERDICTS = "verdicts.json"


@dataclass(frozen=True)
class ModelVerdict:
    """Outcome of one training.

    Attributes
    ----------
    time : int
        End of the training window, seconds.
    name : str
        Component, with the pair behind it where each pair has its own model.
    promoted : bool
    sentence : str
    metrics : dict of str to JSON types; figures that are not known are None
    file, file_hash : str
        Model file and its SHA-256; empty where nothing could be trained.
    kind, trained_from, trained_until, label_horizon, features, features_version
        As in the ledger's registry.
    """

    time: int
    name: str
    promoted: bool
    sentence: str
    metrics: dict[str, Any]
    file: str
    file_hash: str
    kind: str
    trained_from: int
    trained_until: int
    label_horizon: int
    features: tuple[str, ...]
    features_version: int


class ModelFiles:
    """Writes model files and ``verdicts.json`` into a folder; a repeated training replaces its window's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.verdicts = read_verdicts(folder)

    def write(self, name: str, end: int, result: TrainingResult) -> ModelVerdict:
        """Write a challenger and its verdict."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{as_file_name(name)}-{end}{result.suffix}"
        if result.content:
            write_whole(path, result.content)
        v = result.verdict
        metrics = {
            **result.metrics,
            "challenger_auc": v.challenger_auc,
            "champion_auc": v.champion_auc,
            "judged_log_loss": v.log_loss,
            "judged_prior_log_loss": v.prior_log_loss,
        }
        verdict = ModelVerdict(
            time=end,
            name=name,
            promoted=v.promoted,
            sentence=v.sentence,
            metrics={
                **{key: float(value) if math.isfinite(value) else None for key, value in metrics.items()},
                **result.details,
            },
            file=str(path) if result.content else "",
            file_hash=hashlib.sha256(result.content).hexdigest() if result.content else "",
            kind=result.kind,
            trained_from=result.trained_from,
            trained_until=result.trained_until,
            label_horizon=result.label_horizon,
            features=result.schema.names,
            features_version=result.schema.version,
        )
        others = [v for v in self.verdicts if (v.time, v.name) != (end, name)]
        self.verdicts = sorted([*others, verdict], key=lambda v: (v.time, v.name))
        content = json.dumps([asdict(v) for v in self.verdicts], indent=1).encode()
        write_whole(self.folder / VERDICTS, content)
        return verdict


def as_file_name(name: str) -> str:
    """A name without the characters of a pair that no file may have.

    Examples
    --------
    >>> as_file_name("lstm BTC/USDT:USDT")
    'lstm BTC_USDT_USDT'
    """
    return name.replace("/", "_").replace(":", "_")


def read_verdicts(folder: Path) -> list[ModelVerdict]:
    """The verdicts of a folder, oldest first; none where there is no file of ours."""
    try:
        stored: list[dict[str, Any]] = json.loads((folder / VERDICTS).read_text(encoding="utf-8"))
        return [ModelVerdict(**{**fields, "features": tuple(fields["features"])}) for fields in stored]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError) as error:
        logger.warning("The verdicts in %s cannot be read and start anew: %s", folder, error)
        return []


def speaking_models(champions: Sequence[ModelVerdict], first: int, last: int) -> list[ModelVerdict]:
    """Of each name's champions those that spoke in [first, last], seconds: the last one before, and all that followed.

    Parameters
    ----------
    champions : oldest first
    """
    before = {verdict.name: verdict for verdict in champions if verdict.time < first}
    return [*before.values(), *(verdict for verdict in champions if first <= verdict.time <= last)]


def register_models(ledger: Ledger, verdicts: Iterable[ModelVerdict], candle_seconds: int) -> None:
    """Put the models into a ledger's registry: champions promoted with their sentence, the others retired.

    Models that the ledger has already stay as they are. One that it refuses is a warning in the log.
    """
    registry = ModelRegistry(ledger)
    for verdict in verdicts:
        if not verdict.file:
            continue
        try:
            model = registry.register(_info(verdict, candle_seconds))
            if registry.get(model).status != "challenger":
                continue  # judged before
            if verdict.promoted:
                registry.promote(model, verdict.time, verdict.sentence)
            else:
                registry.retire(model, verdict.time, verdict.sentence)
        except (CoordinatorError, SQLAlchemyError) as error:
            logger.warning("The ledger's registry did not take %s: %s", verdict.name, error)


def _info(verdict: ModelVerdict, candle_seconds: int) -> ModelInfo:
    return ModelInfo(
        name=verdict.name,
        kind=verdict.kind,
        trained_from=verdict.trained_from,
        trained_until=verdict.trained_until,
        label_horizon=verdict.label_horizon,
        candle_seconds=candle_seconds,
        features=FeatureSchema(str(verdict.features_version), verdict.features),
        metrics=verdict.metrics,
        file=verdict.file,
        file_hash=verdict.file_hash,
    )
