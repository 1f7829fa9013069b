"""What every section shares: frozen, strict, unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Fraction", "Mode", "Section", "lists_to_tuples"]

Fraction = Annotated[float, Field(ge=0, le=1)]
Mode: TypeAlias = Literal["off", "shadow", "on"]
"""Of an improvement (spec 003). off: as if it were not there; shadow: computed and recorded, without effect."""


def lists_to_tuples(data: Any, *keys: str) -> Any:
    """JSON has lists only; strict models want tuples."""
    if not isinstance(data, Mapping):
        return data
    return {k: tuple(v) if k in keys and isinstance(v, list) else v for k, v in data.items()}


class Section(BaseModel):
    """A part of the "coordinator" section.

    ``ascending`` lists pairs of fields (lower, upper) of which the first must be below the second.
    """

    ascending: ClassVar[tuple[tuple[str, str], ...]] = ()
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    @model_validator(mode="after")
    def _is_ascending(self) -> Self:
        for lower, upper in self.ascending:
            if getattr(self, lower) >= getattr(self, upper):
                raise ValueError(f"{lower} must be below {upper}")
        return self
