"""What every section shares: frozen, strict, unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Fraction", "Mode", "Section", "lists_to_tuples"]

Fraction = Annotated[float, Field(ge=0, le=1)]
Mode: TypeAlias = Literal["off", "shadow", "on"]
"""Of an improvement (spec 003). off: as if it were not there; shadow: worked out and recorded, without effect."""


def lists_to_tuples(data: Any, *keys: str) -> Any:
    """JSON has lists only; strict models want tuples."""
    if not isinstance(data, Mapping):
        return data
    return {k: tuple(v) if k in keys and isinstance(v, list) else v for k, v in data.items()}


class Section(BaseModel):
    """A part of the "coordinator" section."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)
