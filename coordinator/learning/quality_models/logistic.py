"""Logistic regression on standardised features with an L2 penalty. Files are JSON that a person can read."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from coordinator.learning.quality_models.base import Validation
from coordinator.learning.quality_models.imputer import fill, medians
from coordinator.learning.quality_models.json_file import JsonFileModel
from coordinator.types import Floats

__all__ = ["LogisticQuality"]

CLIP = 4.0  # standard deviations


class LogisticQuality(JsonFileModel):
    """A linear model of the log-odds; missing values count as the training median.

    Attributes
    ----------
    median_, mean_, scale_, coefficients_ : ndarray of shape (n_features,)
    intercept_ : float
    """

    kind = "logistic"
    arrays = ("median", "mean", "scale", "coefficients")

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
