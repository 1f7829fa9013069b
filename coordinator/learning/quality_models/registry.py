"""The signal-quality models by ``model_type``: a new one is a class, a line here and its name in the setting."""

from __future__ import annotations

from pkgutil import resolve_name

from coordinator.learning.quality_models.base import QualityModel

__all__ = ["MODELS", "model_class"]

_HERE = "coordinator.learning.quality_models"
MODELS: dict[str, str] = {
    "lightgbm": f"{_HERE}.lightgbm:LightGBMQuality",
    "xgboost": f"{_HERE}.xgboost:XGBoostQuality",
    "random_forest": f"{_HERE}.random_forest:RandomForestQuality",
    "logistic": f"{_HERE}.logistic:LogisticQuality",
}


def model_class(kind: str) -> type[QualityModel]:
    """The class of a ``model_type``; its library is loaded with it, not the others'.

    Examples
    --------
    >>> model_class("logistic").kind
    'logistic'
    """
    found: type[QualityModel] = resolve_name(MODELS[kind])
    return found
