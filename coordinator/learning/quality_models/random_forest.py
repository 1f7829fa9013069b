"""A random forest (Breiman 2001), grown by scikit-learn, kept and read as plain arrays. Files are safetensors."""

from __future__ import annotations

import json
from typing import Self

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as write_arrays
from sklearn.ensemble import RandomForestRegressor

from coordinator.errors import CoordinatorError
from coordinator.learning.quality_models.base import QualityModel, Validation
from coordinator.learning.quality_models.imputer import fill, medians
from coordinator.learning.quality_models.schema_text import schema_from_text, schema_to_text
from coordinator.settings.quality import QualitySettings
from coordinator.types import Floats

__all__ = ["RandomForestQuality"]

CHUNK = 2048  # rows that walk through all trees at once
ARRAYS = ("feature", "threshold", "left", "right", "value", "root", "depth", "median", "gain")


class RandomForestQuality(QualityModel):
    """Mean of trees on the squared error, which on 0/1 labels is the Gini criterion and takes soft labels too.

    Attributes
    ----------
    arrays_ : dict of str to ndarray
        All trees' nodes end to end: ``feature``, ``threshold``, ``left``, ``right`` (a leaf points at itself) and
        ``value``; ``root`` is the first node of each tree.
    """

    kind = "random_forest"
    suffix = ".safetensors"

    def _fit(self, x: Floats, y: Floats, weight: Floats, validation: Validation | None) -> None:
        s, median = self.settings, medians(x)
        forest = RandomForestRegressor(
            n_estimators=s.trees,
            max_leaf_nodes=max(8 * s.leaves, 16),
            min_samples_leaf=self._leaf_samples(len(y)),
            max_features=min(s.feature_share, 0.5),
            max_samples=s.row_share if s.row_share < 1 else None,
            n_jobs=s.threads,
            random_state=s.seed,
        )
        forest.fit(fill(x, median), y, sample_weight=weight)
        self.arrays_ = _flatten(forest) | {"median": median, "gain": forest.feature_importances_}

    def _predict(self, x: Floats) -> Floats:
        a, out = self.arrays_, np.empty(len(x))
        # scikit-learn grows and reads its trees on 32-bit features
        filled = fill(x, a["median"]).astype(np.float32)
        for start in range(0, len(x), CHUNK):
            rows = filled[start : start + CHUNK]
            node = np.broadcast_to(a["root"], (len(rows), len(a["root"]))).copy()
            line = np.arange(len(rows))[:, None]
            for _ in range(int(a["depth"][0])):
                below = rows[line, a["feature"][node]] <= a["threshold"][node]
                node = np.where(below, a["left"][node], a["right"][node])
            out[start : start + CHUNK] = a["value"][node].mean(axis=1)
        return np.clip(out, 0.0, 1.0)

    def _gain(self) -> Floats:
        return np.asarray(self.arrays_["gain"], dtype=np.float64)

    def to_bytes(self) -> bytes:
        # one metadata key: safetensors writes several in any order
        return bytes(write_arrays(self.arrays_, metadata={"schema": schema_to_text(self.schema)}))

    @classmethod
    def from_bytes(cls, content: bytes, settings: QualitySettings) -> Self:
        try:
            arrays = read_arrays(content)
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            text = header.get("__metadata__", {}).get("schema", "")
        except (SafetensorError, ValueError) as error:
            raise CoordinatorError("model file", "signal quality", "be safetensors", str(error)) from None
        model = cls(settings, schema_from_text(text, "a random forest's model file"))
        if set(arrays) != set(ARRAYS):
            raise CoordinatorError(
                "model file", "signal quality", f"hold {', '.join(ARRAYS)}", sorted(arrays)
            )
        model.arrays_ = arrays
        return model


def _flatten(forest: RandomForestRegressor) -> dict[str, npt.NDArray[np.generic]]:
    """All trees' nodes end to end."""
    trees = [tree.tree_ for tree in forest.estimators_]
    counts = np.array([tree.node_count for tree in trees])
    root = np.concatenate(([0], np.cumsum(counts)[:-1]))
    parts: dict[str, list[npt.NDArray[np.generic]]] = {key: [] for key in ARRAYS[:5]}
    for tree, first in zip(trees, root, strict=True):
        leaf, here = tree.children_left < 0, np.arange(tree.node_count)
        parts["feature"].append(np.where(leaf, 0, tree.feature).astype(np.int32))
        parts["threshold"].append(tree.threshold.astype(np.float64))
        parts["left"].append((first + np.where(leaf, here, tree.children_left)).astype(np.int32))
        parts["right"].append((first + np.where(leaf, here, tree.children_right)).astype(np.int32))
        parts["value"].append(tree.value.ravel().astype(np.float64))
    arrays = {key: np.concatenate(values) for key, values in parts.items()}
    depth = np.array([max(tree.max_depth for tree in trees)], dtype=np.int32)
    return arrays | {"root": root.astype(np.int32), "depth": depth}
