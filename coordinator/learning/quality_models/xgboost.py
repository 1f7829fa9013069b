"""Gradient-boosted trees of XGBoost (Chen and Guestrin 2016). Files are XGBoost's own JSON."""

from __future__ import annotations

import json
from typing import Any, Self

import numpy as np
import xgboost as xgb

from coordinator.errors import CoordinatorError
from coordinator.learning.quality_models.base import QualityModel, Validation
from coordinator.learning.quality_models.schema_text import schema_from_text, schema_to_text
from coordinator.settings.quality import QualitySettings
from coordinator.types import Floats

__all__ = ["XGBoostQuality"]

ATTRIBUTE = "coordinator_feature_schema"


class XGBoostQuality(QualityModel):
    """Leaf-wise histogram trees on the logistic loss.

    Attributes
    ----------
    booster_ : xgboost.Booster
    """

    kind = "xgboost"
    suffix = ".json"

    def _parameters(self, rows: int) -> dict[str, Any]:
        s = self.settings
        return {
            "objective": "binary:logistic",
            "eta": s.learning_rate,
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_depth": 0,
            "max_leaves": s.leaves,
            "max_bin": 64,
            "min_child_weight": self._leaf_samples(rows) * 0.2,  # a hessian of about .2 for each signal
            "colsample_bytree": s.feature_share,
            "subsample": s.row_share,
            "lambda": s.l2,
            "nthread": s.threads,
            "seed": s.seed,
            "verbosity": 0,
        }

    def _fit(self, x: Floats, y: Floats, weight: Floats, validation: Validation | None) -> None:
        data = xgb.DMatrix(x, label=y, weight=weight, nthread=self.settings.threads)
        stop: dict[str, Any] = {}
        if validation is not None and self.settings.patience > 0:
            later = xgb.DMatrix(validation[0], label=validation[1], nthread=self.settings.threads)
            stop = {"evals": [(later, "later")], "early_stopping_rounds": self.settings.patience}
        booster = xgb.train(self._parameters(len(y)), data, self.settings.trees, verbose_eval=False, **stop)
        if stop:
            booster = booster[: booster.best_iteration + 1]
        self.booster_ = booster

    def _predict(self, x: Floats) -> Floats:
        return np.asarray(self.booster_.inplace_predict(x), dtype=np.float64)

    def _gain(self) -> Floats:
        gain = self.booster_.get_score(importance_type="total_gain")
        return np.array([gain.get(f"f{column}", 0.0) for column in range(len(self.schema))], dtype=np.float64)

    def to_bytes(self) -> bytes:
        self.booster_.set_attr(**{ATTRIBUTE: schema_to_text(self.schema)})
        return bytes(self.booster_.save_raw("json"))

    @classmethod
    def from_bytes(cls, content: bytes, settings: QualitySettings) -> Self:
        try:  # before XGBoost sees it: on some broken files it ends the process instead of raising
            found = json.loads(content)
            schema = schema_from_text(found["learner"]["attributes"][ATTRIBUTE], "an XGBoost model file")
        except (ValueError, KeyError, TypeError) as error:
            raise CoordinatorError("model file", "signal quality", "be XGBoost JSON", str(error)) from None
        model = cls(settings, schema)
        model.booster_ = xgb.Booster({"nthread": settings.threads})
        model.booster_.load_model(bytearray(content))
        return model
