"""A signal-quality model that is numbers for each feature and an intercept, in a JSON file that a person can read."""

from __future__ import annotations

import json
from typing import ClassVar, Self

import numpy as np

from coordinator.errors import CoordinatorError
from coordinator.learning.quality_models.base import QualityModel
from coordinator.learning.quality_models.schema_text import schema_from_text, schema_to_text
from coordinator.settings.quality import QualitySettings

__all__ = ["JsonFileModel"]


class JsonFileModel(QualityModel):
    """What a linear model and its like are: ``_fit`` sets the attributes, this writes and reads them.

    Attributes
    ----------
    arrays : names of the fitted arrays of shape (n_features,); the attributes end with an underscore
    intercept_ : float
    """

    suffix = ".json"
    arrays: ClassVar[tuple[str, ...]]
    intercept_: float

    def to_bytes(self) -> bytes:
        arrays = {name: getattr(self, f"{name}_").tolist() for name in self.arrays}
        content = {"schema": schema_to_text(self.schema), "intercept": self.intercept_, **arrays}
        return (json.dumps(content, indent=1) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes, settings: QualitySettings) -> Self:
        file = f"a {cls.kind} model's file"
        try:
            found = json.loads(content)
            arrays = {name: np.array(found[name], dtype=np.float64) for name in cls.arrays}
            intercept, text = float(found["intercept"]), str(found["schema"])
        except (ValueError, KeyError, TypeError) as error:
            raise CoordinatorError(
                "model file", "signal quality", f"be a {cls.kind} model", str(error)
            ) from None
        model = cls(settings, schema_from_text(text, file))
        for name, values in arrays.items():
            if values.shape != (len(model.schema),):
                raise CoordinatorError(name, file, "fit its schema", values.shape)
            setattr(model, f"{name}_", values)
        model.intercept_ = intercept
        return model
