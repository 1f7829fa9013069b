"""A feature schema as the line of JSON that model files carry."""

from __future__ import annotations

import json
from typing import Any

from coordinator.errors import CoordinatorError
from coordinator.signals.feature_schema import FeatureSchema

__all__ = ["schema_from_text", "schema_to_text"]


def schema_to_text(schema: FeatureSchema) -> str:
    """Version, names and hash on one line."""
    return json.dumps({"version": schema.version, "names": list(schema.names), "hash": schema.hash})


def schema_from_text(text: str, owner: str) -> FeatureSchema:
    """Read it back.

    Raises
    ------
    CoordinatorError
        If it is no schema, or its hash is not that of its names.
    """
    try:
        found: Any = json.loads(text)
        schema = FeatureSchema(tuple(found["names"]), int(found["version"]))
        kept = found["hash"]
    except (ValueError, KeyError, TypeError):
        raise CoordinatorError("feature schema", owner, "be in the file", text[:80]) from None
    if schema.hash != kept:
        raise CoordinatorError("feature schema", owner, f"have the hash {schema.hash[:12]}", kept)
    return schema
