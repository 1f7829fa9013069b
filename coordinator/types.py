"""Array types that several houses share."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["FAR_FUTURE", "SECONDS_PER_DAY", "Bools", "Floats", "Ints", "Times"]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Times: TypeAlias = npt.NDArray[np.int64]
"""Candle open times in whole seconds since 1970-01-01 UTC."""

SECONDS_PER_DAY = 86400
FAR_FUTURE = 2**40
"""A time after every candle, seconds."""
