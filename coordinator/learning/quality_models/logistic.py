"""Logistic regression on standardised features with an L2 penalty. Files are JSON that a person can read."""

from __future__ import annotations

import json
from typing import Self

import numpy as np
from sklearn.linear_model import LogisticRegression

from coordinator.errors import CoordinatorError
from coordinator.learning.quality_models.base import QualityModel, Validation
from coordinator.learning.quality_models.imputer import fill, medians
from coordinator.learning.quality_models.schema_text import schema_from_text, schema_to_text
from coordinator.settings.quality import QualitySettings
from coordinator.types import Floats

__all__ = ["LogisticQuality"]

CLIP = 4.0  # standard deviations
ARRAYS = ("median", "mean", "scale", "coefficients")


class LogisticQuality(QualityModel):
    """A linear model of the log-odds; missing values count as the training median.

    Attributes
    ----------
    median_, mean_, scale_, coefficients_ : ndarray of shape (n_features,)
    intercept_ : float
    """

    kind = "logistic"
    suffix = ".json"

    def _fit(self, x: Floats, y: Floats, weight: Floats, validation: Validation | None) -> None:
        self.median_ = medians(x)
        filled = fill(x, self.median_)
        self.mean_ = np.average(filled, axis=0, weights=weight)
        self.scale_ = np.maximum(filled.std(axis=0), 1e-9)
        z = self._standardise(x)
        # a soft label is one row of each class, weighted by its share: the cross-entropy is the same
        rows = np.vstack((z, z))
        classes = np.concatenate((np.ones(len(y)), np.zeros(len(y))))
        weights = np.concatenate((weight * y, weight * (1.0 - y)))
        model = LogisticRegression(C=self.settings.regularisation, max_iter=2000, tol=1e-8)
        model.fit(rows[weights > 0], classes[weights > 0], sample_weight=weights[weights > 0])
        self.coefficients_ = np.asarray(model.coef_[0], dtype=np.float64)
        self.intercept_ = float(model.intercept_[0])

    def _standardise(self, x: Floats) -> Floats:
        return np.asarray(np.clip((fill(x, self.median_) - self.mean_) / self.scale_, -CLIP, CLIP))

    def _predict(self, x: Floats) -> Floats:
        # summed row by row, so that one row alone gives the same bits as the whole window
        odds = (self._standardise(x) * self.coefficients_).sum(axis=1) + self.intercept_
        return np.asarray(1.0 / (1.0 + np.exp(-odds)))

    def _gain(self) -> Floats:
        """Size of the coefficients on standardised features: a linear model has no gain."""
        return np.abs(self.coefficients_)

    def to_bytes(self) -> bytes:
        arrays = {name: getattr(self, f"{name}_").tolist() for name in ARRAYS}
        content = {"schema": schema_to_text(self.schema), "intercept": self.intercept_, **arrays}
        return (json.dumps(content, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes, settings: QualitySettings) -> Self:
        try:
            found = json.loads(content)
            arrays = {name: np.array(found[name], dtype=np.float64) for name in ARRAYS}
            intercept, text = float(found["intercept"]), str(found["schema"])
        except (ValueError, KeyError, TypeError) as error:
            raise CoordinatorError(
                "model file", "signal quality", "be a logistic model", str(error)
            ) from None
        model = cls(settings, schema_from_text(text, "a logistic model's file"))
        for name, values in arrays.items():
            if values.shape != (len(model.schema),):
                raise CoordinatorError(name, "a logistic model's file", "fit its schema", values.shape)
            setattr(model, f"{name}_", values)
        model.intercept_ = intercept
        return model
