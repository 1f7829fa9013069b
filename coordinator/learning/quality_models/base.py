"""What every signal-quality model is: fit, predict_proba, importance, and a file that runs no code when loaded."""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.settings.quality import QualitySettings
from coordinator.signals.feature_schema import FeatureSchema, align_columns
from coordinator.types import Floats

__all__ = ["QualityModel", "Validation"]

logger = logging.getLogger(__name__)

Validation = tuple[Floats, Floats]
"""Features and labels of later signals, for early stopping."""


class QualityModel(ABC):
    """A model of the chance that a signal succeeds.

    A new one is a subclass with ``kind``, ``suffix`` and the five methods at the end, and one line in
    ``quality_models/registry.py``. NaN features are allowed; labels may be soft (0..1). Two runs on the same rows give
    the same bytes.

    Parameters
    ----------
    settings : QualitySettings
    schema : FeatureSchema
        What the columns of X are; kept in the model's file.
    """

    kind: ClassVar[str]
    suffix: ClassVar[str]

    def __init__(self, settings: QualitySettings, schema: FeatureSchema) -> None:
        self.settings = settings
        self.schema = schema
        self._warned: set[str] = set()

    def fit(
        self, x: Floats, y: Floats, weight: Floats | None = None, validation: Validation | None = None
    ) -> Self:
        """Learn from resolved signals.

        Parameters
        ----------
        x : ndarray of shape (n, len(schema))
            NaN where unknown.
        y : ndarray of shape (n,)
            0..1, no NaN.
        weight : ndarray of shape (n,), optional
            >= 0; by default all count the same.
        validation : pair of ndarrays, optional
            Later rows; boosted trees stop by them where ``patience`` is above 0, other models pass over them.

        Raises
        ------
        CoordinatorError
            If the shapes do not fit, the labels are not in 0..1 or all the same, or there are too few.
        """
        self._check(x, y)
        weights = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        self._fit(np.ascontiguousarray(x, dtype=np.float64), y.astype(np.float64), weights, validation)
        return self

    def predict_proba(self, x: Floats, schema: FeatureSchema | None = None) -> Floats:
        """Probability of each row, shape (n,), 0..1, finite.

        Parameters
        ----------
        x : ndarray of shape (n, n_features)
        schema : FeatureSchema, optional
            What the columns are, where they may not be this model's own: columns are aligned by name (missing ones
            are NaN) with one warning in the log, or refused (setting ``schema_mismatch``).

        Raises
        ------
        CoordinatorError
            If the columns are not those of the schema.
        """
        given = schema or self.schema
        if x.ndim != 2 or x.shape[1] != len(given):
            raise CoordinatorError("features", self._owner, f"have {len(given)} columns", x.shape)
        if given.hash != self.schema.hash:
            x = self._align(x, given)
        if not len(x):
            return np.empty(0)
        return np.asarray(self._predict(np.ascontiguousarray(x, dtype=np.float64)), dtype=np.float64)

    def importance(self) -> dict[str, float]:
        """Share of each feature in the model's gain by name, in the schema's order; sums to 1, or all 0."""
        gain = np.abs(self._gain())
        total = float(gain.sum())
        shares = gain / total if total > 0 else gain
        return dict(zip(self.schema.names, shares.tolist(), strict=True))

    def save(self, path: Path) -> str:
        """Write the file and return its SHA-256.

        Raises
        ------
        CoordinatorError
            If the path does not end as files of this model do.
        """
        if path.suffix != self.suffix:
            raise CoordinatorError("path", self._owner, f"end with {self.suffix}", str(path))
        content = self.to_bytes()
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest()

    def _check(self, x: Floats, y: Floats) -> None:
        if x.ndim != 2 or x.shape != (len(y), len(self.schema)):
            rule = f"be {len(y)} rows of {len(self.schema)}"
            raise CoordinatorError("features", self._owner, rule, x.shape)
        if len(y) < self.settings.minimum_samples:
            rule = f"be at least {self.settings.minimum_samples} resolved signals"
            raise CoordinatorError("training rows", self._owner, rule, len(y))
        if not (np.isfinite(y).all() and y.min() >= 0 and y.max() <= 1):
            raise CoordinatorError(
                "labels", self._owner, "be between 0 and 1", (float(y.min()), float(y.max()))
            )
        if y.min() == y.max():
            raise CoordinatorError("labels", self._owner, "not be all the same", float(y[0]))

    def _leaf_samples(self, rows: int) -> int:
        """Fewest signals in a leaf: as set, but no more than a twentieth of the rows, or few rows teach nothing."""
        return max(5, min(self.settings.leaf_samples, rows // 20))

    def _align(self, x: Floats, given: FeatureSchema) -> Floats:
        if self.settings.schema_mismatch == "refuse":
            rule = (
                f"be of the schema it was trained on (version {self.schema.version}, {self.schema.hash[:12]})"
            )
            raise CoordinatorError(
                "features", self._owner, rule, f"version {given.version}, {given.hash[:12]}"
            )
        if given.hash not in self._warned:
            self._warned.add(given.hash)
            missing = sorted(set(self.schema.names) - set(given.names))
            logger.warning(
                "%s was trained on features of version %d, the rows are of version %d: aligned by name; missing: %s",
                self._owner,
                self.schema.version,
                given.version,
                ", ".join(missing) or "none",
            )
        return align_columns(x, given, self.schema)

    @property
    def _owner(self) -> str:
        return f"signal quality ({self.kind})"

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The content of the model's file, schema included; the same for the same training."""

    @classmethod
    @abstractmethod
    def from_bytes(cls, content: bytes, settings: QualitySettings) -> Self:
        """The model of a file's content."""

    @abstractmethod
    def _fit(self, x: Floats, y: Floats, weight: Floats, validation: Validation | None) -> None: ...

    @abstractmethod
    def _predict(self, x: Floats) -> Floats: ...

    @abstractmethod
    def _gain(self) -> Floats: ...
