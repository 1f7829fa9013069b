"""The features of signals (``ml_trade_features``): packed float64 rows, and a schema that says what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, insert, select

from coordinator.errors import CoordinatorError
from coordinator.ledger.schema_models import ml_feature_schemas, ml_trade_features
from coordinator.types import Floats, Times

__all__ = [
    "FeatureSchema",
    "FeatureTable",
    "pack",
    "read_features",
    "schema_id",
    "unpack",
    "write_features",
]

_PACKED: Final = np.dtype("<f8")


@dataclass(frozen=True)
class FeatureSchema:
    """Names of features in their order, and the version of the code that computes them."""

    version: str
    names: tuple[str, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of both: models and rows fit together exactly if it is the same."""
        return hashlib.sha256(json.dumps([self.version, list(self.names)]).encode()).hexdigest()


@dataclass(frozen=True)
class FeatureTable:
    """Features of signals, sorted by time, then pair.

    Attributes
    ----------
    time : int64, shape (n,), seconds since the epoch
    pair : object, shape (n,)
    values : float64, shape (n, features), NaN where unknown
    """

    schema: FeatureSchema
    time: Times
    pair: npt.NDArray[np.object_]
    values: Floats


def write_features(
    connection: Connection, run_id: int, table: FeatureTable, owner: str, *, keep: bool = False
) -> None:
    """Add features of signals that are in the ledger; what is there already must be the same to the bit.

    Parameters
    ----------
    keep : whether what is there stays whatever is given: a bot's frame of another hour gives features within 1e-9

    Raises
    ------
    CoordinatorError
        If the shapes do not fit, or a signal has other features already.
    """
    n = len(table.time)
    if table.values.shape != (n, len(table.schema.names)) or len(table.pair) != n:
        rule = f"be {n} rows of {len(table.schema.names)}"
        raise CoordinatorError("features", owner, rule, table.values.shape)
    if n == 0:
        return
    number = schema_id(connection, table.schema)
    t = ml_trade_features.c
    within = t.time.between(int(np.min(table.time)), int(np.max(table.time)))
    query = select(t.time, t.pair, t.schema_id, t.features).where(t.run_id == run_id, within)
    stored = {(row.time, row.pair): (row.schema_id, bytes(row.features)) for row in connection.execute(query)}
    rows = []
    keys = zip(table.time.tolist(), table.pair.tolist(), pack(table.values), strict=True)
    for i, (time, pair, packed) in enumerate(keys):
        old = stored.get((time, pair))
        if old is None:
            key = {"run_id": run_id, "time": time, "pair": pair}
            rows.append(key | {"schema_id": number, "features": packed})
        elif old != (number, packed) and not keep:
            where = f"{owner}, run_id {run_id}, time {time}, pair {pair}"
            raise CoordinatorError("ml_trade_features", where, "stay as written", table.values[i].tolist())
    if rows:
        connection.execute(insert(ml_trade_features), rows)


def read_features(connection: Connection, run_id: int, schema: FeatureSchema) -> FeatureTable:
    """All features that a run has of a schema; none gives an empty table."""
    t = ml_trade_features
    query = select(t.c.time, t.c.pair, t.c.features)
    query = query.join(ml_feature_schemas, ml_feature_schemas.c.id == t.c.schema_id)
    query = query.where(t.c.run_id == run_id, ml_feature_schemas.c.hash == schema.hash)
    rows = sorted(tuple(row) for row in connection.execute(query))
    return FeatureTable(
        schema,
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=object),
        unpack([row[2] for row in rows], len(schema.names)),
    )


def pack(values: Floats) -> list[bytes]:
    """Each row of a matrix as bytes."""
    return [row.tobytes() for row in np.ascontiguousarray(values, dtype=_PACKED)]


def unpack(rows: Sequence[bytes], columns: int) -> Floats:
    """Packed rows as a matrix of shape (len(rows), columns)."""
    values = np.frombuffer(b"".join(bytes(row) for row in rows), dtype=_PACKED)
    return values.reshape(len(rows), columns).astype(np.float64)


def schema_id(connection: Connection, schema: FeatureSchema) -> int:
    """The number of a schema in the ledger, which it gets when it is first used."""
    table = ml_feature_schemas
    stored = connection.execute(select(table.c.id).where(table.c.hash == schema.hash)).scalar_one_or_none()
    if stored is not None:
        return int(stored)
    values = {"version": schema.version, "names": list(schema.names), "hash": schema.hash}
    inserted = connection.execute(insert(table).values(values)).inserted_primary_key
    assert inserted is not None  # an INSERT of one row always has one
    return int(inserted[0])
