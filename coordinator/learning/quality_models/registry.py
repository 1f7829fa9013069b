"""The signal-quality models by ``model_type``: a new one is a class, a line here and its name in the setting."""

from __future__ import annotations

from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_models.lightgbm import LightGBMQuality
from coordinator.learning.quality_models.logistic import LogisticQuality
from coordinator.learning.quality_models.random_forest import RandomForestQuality
from coordinator.learning.quality_models.xgboost import XGBoostQuality

__all__ = ["MODELS"]

MODELS: dict[str, type[QualityModel]] = {
    "lightgbm": LightGBMQuality,
    "xgboost": XGBoostQuality,
    "random_forest": RandomForestQuality,
    "logistic": LogisticQuality,
}
