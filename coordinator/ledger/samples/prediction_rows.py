"""What the models said on signals (``ml_predictions``), in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from coordinator.errors import CoordinatorError
from coordinator.ledger.column_types import plain_json
from coordinator.ledger.registry import ModelRegistry
from coordinator.ledger.schema_models import ml_models, ml_predictions
from coordinator.ledger.store import Ledger

__all__ = ["Said", "read_predictions", "write_predictions"]


@dataclass(frozen=True)
class Said:
    """One component's predictions.

    Attributes
    ----------
    name : str
        Of its models in the registry.
    times : sequence of int
        Open times of the signals' candles, seconds.
    pairs : sequence of str
    values : sequence of mappings of column to number
    """

    name: str
    times: Sequence[int]
    pairs: Sequence[str]
    values: Sequence[Mapping[str, float]]


def write_predictions(ledger: Ledger, said: Said) -> int:
    """Record predictions under the champion that spoke for each candle; how many rows are new.

    Those for whose candle the registry has no champion are passed over; what is there already stays, and must be the
    same.

    Raises
    ------
    CoordinatorError
        If the ledger holds another prediction of the same model there.
    """
    speakers = ModelRegistry(ledger).succession(said.name)
    rows: dict[tuple[int, int, str], dict[str, Any]] = {}
    for time, pair, values in zip(said.times, said.pairs, said.values, strict=True):
        speaker = speakers.at(int(time))
        if speaker is not None:
            key = (speaker.id, int(time), pair)
            rows[key] = plain_json(dict(values), f"a prediction of {said.name}")
    if not rows:
        return 0
    with ledger.database.write() as connection:
        known: dict[tuple[int, int, str], Any] = {}
        for model_id in sorted({key[0] for key in rows}):
            known |= {(model_id, *key): value for key, value in _said(connection, model_id).items()}
        for key, values in rows.items():
            if known.get(key, values) != values:
                owner = f"model {key[0]}, time {key[1]}, pair {key[2]}"
                raise CoordinatorError("ml_predictions", owner, "stay as written", values)
        new = [
            {"model_id": key[0], "time": key[1], "pair": key[2], "values": values}
            for key, values in rows.items()
            if key not in known
        ]
        if new:
            connection.execute(insert(ml_predictions), new)
    return len(new)


def read_predictions(ledger: Ledger, name: str) -> dict[tuple[int, str], dict[str, Any]]:
    """Everything the models of a name said, by time and pair."""
    p, m = ml_predictions, ml_models
    query = select(p.c.time, p.c.pair, p.c["values"]).join(m, m.c.id == p.c.model_id)
    query = query.where(m.c.name == name).order_by(p.c.time, p.c.pair)
    with ledger.database.read() as connection:
        return {(int(time), pair): values for time, pair, values in connection.execute(query)}


def _said(connection: Connection, model_id: int) -> dict[tuple[int, str], Any]:
    p = ml_predictions.c
    query = select(p.time, p.pair, p["values"]).where(p.model_id == model_id)
    return {(int(time), pair): values for time, pair, values in connection.execute(query)}
