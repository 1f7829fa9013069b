"""The model registry: which model may predict a candle, by what it was trained on (DESIGN.md 3).

Everything is in candle time, so a backtest over old data meets the models that were champions then, and never one
that has seen the candle or what came after it. The succession of champions is only ever continued: promoting or
retiring a model leaves every earlier answer as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final

from sqlalchemy import Connection, and_, insert, select, update

from coordinator.errors import CoordinatorError
from coordinator.ledger.column_types import plain_json
from coordinator.ledger.feature_store import FeatureSchema
from coordinator.ledger.learning_events import LearningEvent, insert_event
from coordinator.ledger.schema_models import ml_champions, ml_models
from coordinator.ledger.store import Ledger
from coordinator.ledger.succession import Succession

__all__ = ["MODEL_FILES", "Model", "ModelInfo", "ModelRegistry"]

MODEL_FILES: Final = (".txt", ".json", ".safetensors")
"""LightGBM text, XGBoost JSON, safetensors: files that run no code when loaded."""


@dataclass(frozen=True)
class ModelInfo:
    """A trained model.

    Attributes
    ----------
    name : str
        What it is for, e.g. ``"signal_quality"``; champion and challengers share it.
    kind : str
        E.g. ``"lightgbm"``.
    trained_from, trained_until : int
        First and last candle of its training rows, seconds since the epoch; the labels reach further.
    label_horizon : int
        Candles that a label looks ahead.
    candle_seconds : int
    features : FeatureSchema
    metrics : mapping
        JSON types; NaN is kept as None.
    file, file_hash : str
        Path, one of :data:`MODEL_FILES`, and SHA-256 of the content.
    """

    name: str
    kind: str
    trained_from: int
    trained_until: int
    label_horizon: int
    candle_seconds: int
    features: FeatureSchema
    metrics: Mapping[str, Any]
    file: str
    file_hash: str

    @property
    def valid_from(self) -> int:
        """The first candle it may predict: the one after the last candle that its labels use."""
        return self.trained_until + (self.label_horizon + 1) * self.candle_seconds


@dataclass(frozen=True)
class Model:
    """A registered model: its number, what it is, and where it stands today ("challenger", "champion", "retired")."""

    id: int
    info: ModelInfo
    status: str
    verdict: str


class ModelRegistry:
    """The models of a ledger's database."""

    def __init__(self, ledger: Ledger) -> None:
        self._database = ledger.database

    def register(self, info: ModelInfo) -> int:
        """Add a challenger and return its id; the same model (name, last candle, file) again changes nothing.

        Raises
        ------
        CoordinatorError
            If its times or its file cannot be, or it is there already with other contents.
        """
        _check(info)
        row = _row(info)
        with self._database.write(create=True) as connection:
            return _register(connection, row)

    def enter(
        self, info: ModelInfo, at: int, verdict: str, *, promoted: bool, event: LearningEvent | None = None
    ) -> Model:
        """Register a model with its verdict at a candle, all of it in one transaction or nothing.

        A model that is there already and has its verdict stays as it is.

        Parameters
        ----------
        event : what the history keeps of it, with the model's id

        Raises
        ------
        CoordinatorError
            As ``register``, ``promote`` and ``retire`` do.
        """
        _check(info)
        row = _row(info)
        with self._database.write(create=True) as connection:
            model = _get(connection, _register(connection, row))
            if model.status == "challenger":
                if promoted:
                    _promote(connection, model, at, verdict)
                else:
                    _set_status(connection, model.id, "retired", verdict)
                if event is not None:
                    insert_event(connection, replace(event, model_id=model.id))
            return _get(connection, model.id)

    def get(self, model_id: int) -> Model:
        """A model; CoordinatorError if there is none of that id."""
        with self._database.read() as connection:
            return _get(connection, model_id)

    def models(self, name: str | None = None) -> tuple[Model, ...]:
        """All models, or those of a name, by the last candle they were trained on."""
        query = select(ml_models) if name is None else select(ml_models).where(ml_models.c.name == name)
        with self._database.read() as connection:
            rows = (
                connection.execute(query.order_by(ml_models.c.trained_until, ml_models.c.id)).mappings().all()
            )
        return tuple(_model(row) for row in rows)

    def champion(self, name: str, at: int) -> Model | None:
        """Who speaks for the candle at a time; None if nobody does.

        What it returns never depends on what was promoted or registered for later candles.
        """
        m, c = ml_models, ml_champions
        last = select(c.c.model_id).where(c.c.name == name, c.c.time <= at).order_by(c.c.time.desc()).limit(1)
        query = select(m).where(m.c.id == last.scalar_subquery(), m.c.speaks_from <= at)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _model(row)

    def succession(self, name: str) -> Succession:
        """All champions of a name; none where the ledger does not exist."""
        m, c = ml_models, ml_champions
        query = select(c.c.time, m).join_from(c, m, m.c.id == c.c.model_id, isouter=True)
        query = query.where(c.c.name == name).order_by(c.c.time)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        champions = [None if row["id"] is None else _model(row) for row in rows]
        return Succession([int(row["time"]) for row in rows], champions)

    def archive(self, name: str) -> str:
        """Put all models of a name away under another name, so that a new succession can begin; that name."""
        with self._database.write() as connection:
            known = connection.execute(select(ml_models.c.name).distinct()).scalars().all()
            number = next(n for n in range(1, len(known) + 2) if f"{name} before {n}" not in known)
            for table in (ml_models, ml_champions):
                connection.execute(
                    update(table).where(table.c.name == name).values(name=f"{name} before {number}")
                )
        return f"{name} before {number}"

    def promote(self, model_id: int, at: int, verdict: str) -> None:
        """Make a model the champion of its name from a candle on; the one before retires.

        Raises
        ------
        CoordinatorError
            If it may not speak for that candle yet, or the succession has gone on past it already.
        """
        with self._database.write() as connection:
            _promote(connection, _get(connection, model_id), at, verdict)

    def retire(self, model_id: int, at: int, verdict: str) -> None:
        """Retire a model from a candle on; if it is the champion, nobody follows.

        Raises
        ------
        CoordinatorError
            If it is the champion and the succession has gone on past that candle already.
        """
        with self._database.write() as connection:
            model = _get(connection, model_id)
            if model.status == "champion":
                _succeed(connection, model.info.name, None, at, verdict)
            _set_status(connection, model_id, "retired", verdict)


def _register(connection: Connection, row: dict[str, Any]) -> int:
    """The id of a model, which is inserted as a challenger if it is new."""
    key = ("name", "trained_until", "file_hash")
    same = and_(*(ml_models.c[name] == row[name] for name in key))
    stored = connection.execute(select(ml_models).where(same)).mappings().one_or_none()
    if stored is not None:
        changed = {name: value for name, value in row.items() if stored[name] != value}
        if changed:
            owner = f"model {row['name']} until {row['trained_until']}"
            raise CoordinatorError("model", owner, "stay as registered", changed)
        return int(stored["id"])
    values = row | {"status": "challenger", "verdict": ""}
    inserted = connection.execute(insert(ml_models).values(values)).inserted_primary_key
    assert inserted is not None  # an INSERT of one row always has one
    return int(inserted[0])


def _promote(connection: Connection, model: Model, at: int, verdict: str) -> None:
    if at < model.info.valid_from:
        rule = f"be {model.info.valid_from} or later, after the last candle it was trained on"
        raise CoordinatorError("promotion", f"model {model.id}", rule, at)
    before = _succeed(connection, model.info.name, model.id, at, verdict)
    if before is not None and before != model.id:
        _set_status(connection, before, "retired", f"succeeded by model {model.id}")
    _set_status(connection, model.id, "champion", verdict)


def _succeed(connection: Connection, name: str, model_id: int | None, at: int, verdict: str) -> int | None:
    """Continue the succession of a name; who was champion until then."""
    c = ml_champions.c
    query = select(c.time, c.model_id).where(c.name == name).order_by(c.time.desc()).limit(1)
    last = connection.execute(query).one_or_none()
    if last is not None and last.model_id == model_id and last.time <= at:
        return model_id  # it is the champion already
    if last is not None and last.time >= at:
        rule = f"lie after the last change of champion ({last.time}): earlier answers stay"
        raise CoordinatorError("time", f"the champion of {name}", rule, at)
    values = {"name": name, "time": at, "model_id": model_id, "verdict": verdict}
    connection.execute(insert(ml_champions).values(values))
    return None if last is None else last.model_id


def _set_status(connection: Connection, model_id: int, status: str, verdict: str) -> None:
    table = ml_models
    connection.execute(update(table).where(table.c.id == model_id).values(status=status, verdict=verdict))


def _get(connection: Connection, model_id: int) -> Model:
    query = select(ml_models).where(ml_models.c.id == model_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise CoordinatorError("model", "the ledger", "be a registered model's id", model_id)
    return _model(row)


def _row(info: ModelInfo) -> dict[str, Any]:
    schema = {
        "version": info.features.version,
        "names": list(info.features.names),
        "hash": info.features.hash,
    }
    plain = {name: value for name, value in vars(info).items() if name not in ("features", "metrics")}
    metrics = plain_json(info.metrics, f"the metrics of {info.name}")
    return plain | {"speaks_from": info.valid_from, "features": schema, "metrics": metrics}


def _model(row: Mapping[Any, Any]) -> Model:
    values = {name: row[name] for name in ModelInfo.__dataclass_fields__}
    features = FeatureSchema(values["features"]["version"], tuple(values["features"]["names"]))
    return Model(int(row["id"]), ModelInfo(**values | {"features": features}), row["status"], row["verdict"])


def _check(info: ModelInfo) -> None:
    owner = f"model {info.name}"
    if info.trained_from > info.trained_until:
        raise CoordinatorError("trained_until", owner, "not lie before trained_from", info.trained_until)
    for name in ("label_horizon", "candle_seconds"):
        if getattr(info, name) < 1:
            raise CoordinatorError(name, owner, "be at least 1", getattr(info, name))
    if PurePath(info.file).suffix not in MODEL_FILES:
        raise CoordinatorError("file", owner, f"end with one of {', '.join(MODEL_FILES)}", info.file)
