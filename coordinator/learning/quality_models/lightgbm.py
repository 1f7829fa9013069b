"""Gradient-boosted trees of LightGBM (Ke et al. 2017): the default. Files are LightGBM's own text."""

from __future__ import annotations

from typing import Any, Self

import lightgbm as lgb
import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.quality_models.base import QualityModel, Validation
from coordinator.learning.quality_models.schema_text import schema_from_text, schema_to_text
from coordinator.settings.quality import QualitySettings
from coordinator.types import Floats

__all__ = ["LightGBMQuality"]

MARK = "\ncoordinator_feature_schema:"


class LightGBMQuality(QualityModel):
    """Trees on the cross-entropy, which takes soft labels too; missing values go where they help most.

    Attributes
    ----------
    booster_ : lightgbm.Booster
    """

    kind = "lightgbm"
    suffix = ".txt"

    def _parameters(self, rows: int) -> dict[str, Any]:
        s = self.settings
        return {
            "objective": "cross_entropy",
            "learning_rate": s.learning_rate,
            "num_leaves": s.leaves,
            "min_data_in_leaf": self._leaf_samples(rows),
            "feature_fraction": s.feature_share,
            "bagging_fraction": s.row_share,
            "bagging_freq": 1 if s.row_share < 1 else 0,
            "lambda_l2": s.l2,
            "max_bin": 63,
            "num_threads": s.threads,
            "seed": s.seed,
            "deterministic": True,
            "force_col_wise": True,  # LightGBM would time both ways and pick one: not the same twice
            "verbosity": -1,
        }

    def _fit(self, x: Floats, y: Floats, weight: Floats, validation: Validation | None) -> None:
        names, parameters = list(self.schema.names), self._parameters(len(y))
        data = lgb.Dataset(x, y, weight=weight, feature_name=names, params=parameters)
        later, callbacks = [], []
        if validation is not None and self.settings.patience > 0:
            later = [lgb.Dataset(validation[0], validation[1], reference=data, params=parameters)]
            callbacks = [lgb.early_stopping(self.settings.patience, verbose=False)]
        booster = lgb.train(parameters, data, self.settings.trees, valid_sets=later, callbacks=callbacks)
        self.booster_ = lgb.Booster(model_str=booster.model_to_string())

    def _predict(self, x: Floats) -> Floats:
        return np.asarray(self.booster_.predict(x, num_threads=self.settings.threads))

    def _gain(self) -> Floats:
        return np.asarray(self.booster_.feature_importance("gain"), dtype=np.float64)

    def to_bytes(self) -> bytes:
        text = self.booster_.model_to_string()
        return f"{text.rstrip()}\n{MARK}{schema_to_text(self.schema)}\n".encode()

    @classmethod
    def from_bytes(cls, content: bytes, settings: QualitySettings) -> Self:
        text, _, schema = content.decode(errors="replace").partition(MARK)
        model = cls(settings, schema_from_text(schema, "a LightGBM model file"))
        try:
            model.booster_ = lgb.Booster(model_str=text)
        except lgb.basic.LightGBMError as error:
            raise CoordinatorError("model file", "signal quality", "be LightGBM text", str(error)) from None
        if model.booster_.num_feature() != len(model.schema):
            found = model.booster_.num_feature()
            raise CoordinatorError("model file", "signal quality", "fit its own schema", found)
        return model
