"""Who was champion of a name when: the registry's answer for every candle at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coordinator.types import Ints, Times

if TYPE_CHECKING:
    from coordinator.ledger.registry import Model

__all__ = ["Succession"]


@dataclass(frozen=True)
class Succession:
    """Champions of a name in candle time.

    Attributes
    ----------
    times : sequence of int
        Ascending; from which candle on each speaks.
    champions : sequence of Model or None
        None where nobody follows.
    """

    times: Sequence[int]
    champions: Sequence[Model | None]

    def at(self, time: int) -> Model | None:
        """Who speaks for the candle at a time; None if nobody does.

        Never a model that has seen the candle, whatever the succession says.
        """
        place = bisect_right(self.times, time) - 1
        model = self.champions[place] if place >= 0 else None
        return model if model is not None and model.info.valid_from <= time else None

    def places(self, times: Times) -> Ints:
        """Index into ``champions`` of who speaks for each candle, -1 where nobody does; shape (n,)."""
        place = np.searchsorted(np.array(self.times, dtype=np.int64), times, side="right") - 1
        valid_from = [2**62 if model is None else model.info.valid_from for model in self.champions]
        starts = np.array([*valid_from, 2**62], dtype=np.int64)  # the last one is for place -1
        return np.where(starts[place] <= times, place, -1).astype(np.int64)

    @property
    def last(self) -> Model | None:
        """The champion of the newest candles."""
        return self.champions[-1] if self.champions else None
