"""Model files: tensors and JSON in one safetensors file, with the schema of the features. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from coordinator.errors import CoordinatorError
from coordinator.signals.feature_schema import FeatureSchema
from coordinator.types import Ints
from coordinator.whole_file import write_whole

__all__ = ["Artefact", "align", "decode", "encode", "read", "write"]

logger = logging.getLogger(__name__)

KEY = "coordinator"  # one key: safetensors keeps several in no fixed order, and files are compared by hash
FORMAT = 2  # of 1 the networks have no temperature


@dataclass(frozen=True)
class Artefact:
    """A model as data.

    Attributes
    ----------
    kind : name of what wrote it, e.g. "lstm"
    schema : the features it reads
    tensors : weights and fitted arrays by name
    about : settings, metrics and whatever else it needs, as JSON values
    """

    kind: str
    schema: FeatureSchema
    tensors: Mapping[str, Tensor]
    about: Mapping[str, Any]


def encode(artefact: Artefact) -> bytes:
    """The file's bytes; equal artefacts give equal bytes."""
    described = {
        "format": FORMAT,
        "kind": artefact.kind,
        "features": list(artefact.schema.names),
        "features_version": artefact.schema.version,
        "features_hash": artefact.schema.hash,
        "about": dict(artefact.about),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in artefact.tensors.items()}
    data: bytes = save(tensors, metadata={KEY: json.dumps(described, sort_keys=True)})
    return data


def decode(data: bytes, owner: str = "a model file") -> Artefact:
    """Inverse of ``encode``.

    Raises
    ------
    CoordinatorError
        If the bytes are no model file of ours, of a newer format, or their schema does not fit its own hash.
    """
    try:
        tensors = load(data)
        length = int.from_bytes(data[:8], "little")
        described = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
        schema = FeatureSchema(tuple(described["features"]), int(described["features_version"]))
        kind, about = str(described["kind"]), dict(described["about"])
        version, stored = described["format"], described["features_hash"]
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CoordinatorError(
            "content", owner, "be a safetensors file of this package", repr(error)
        ) from error
    if version != FORMAT:
        raise CoordinatorError("format", owner, f"be {FORMAT}", version)
    if stored != schema.hash:
        raise CoordinatorError("features_hash", owner, f"fit its features ({schema.hash})", stored)
    return Artefact(kind, schema, tensors, about)


def write(artefact: Artefact, path: Path) -> str:
    """Write the file, whole or not at all; returns its SHA-256."""
    data = encode(artefact)
    write_whole(path, data)
    return hashlib.sha256(data).hexdigest()


def read(path: Path) -> Artefact:
    """Read a file.

    Raises
    ------
    CoordinatorError
        If it is not there, or as ``decode``.
    """
    if not path.is_file():
        raise CoordinatorError("path", "a model file", "exist", str(path))
    return decode(path.read_bytes(), str(path))


def align(schema: FeatureSchema, names: Sequence[str], owner: str) -> Ints:
    """Columns of a table that a model reads, by name.

    Other columns are left out and another order is put right, with a warning in the log; so a model never meets a
    table of another width.

    Raises
    ------
    CoordinatorError
        If a feature that the model reads is missing.
    """
    if tuple(names) == schema.names:
        return np.arange(len(names), dtype=np.int64)
    missing = [name for name in schema.names if name not in names]
    if missing:
        raise CoordinatorError("features", owner, f"hold {', '.join(missing)}", list(names))
    extra = len(names) - len(schema.names)
    logger.warning("%s: features aligned by name (%d others left out)", owner, extra)
    place = {name: column for column, name in enumerate(names)}
    return np.array([place[name] for name in schema.names], dtype=np.int64)
