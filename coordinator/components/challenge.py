"""A new model beside the one before it, on the newest candles that neither was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.components.component import Speaker
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.promotion import Verdict, judge
from coordinator.types import Bools, Floats

__all__ = ["Slice", "judged"]


@dataclass(frozen=True)
class Slice:
    """The newest rows of the blocks that neither model was trained on, from ``start`` on."""

    blocks: list[Block]
    start: int
    base_rate: float
    first: int
    last: int

    @classmethod
    def of(
        cls, blocks: list[Block], horizon: int, length: int, share: float, before: Speaker | None
    ) -> Slice:
        """The validation slice, as far as it lies after what the older model has learnt from."""
        data = pool(blocks, horizon)
        split = split_by_time(data, length, share)
        start = int(data.times[split.validation].min())
        taught = data.labels[split.train]
        labelled = data.times[np.isfinite(data.labels)]
        return cls(
            blocks=blocks,
            start=max(start, before.known_until if before else 0),
            base_rate=float((taught[taught != 0] > 0).mean()),
            first=int(labelled.min()),
            last=int(labelled.max()),
        )

    def rows(self, block: Block) -> Bools:
        """Rows of a block that judge: those that went up or down."""
        assert block.times is not None
        return np.asarray((block.times >= self.start) & np.isfinite(block.labels) & (block.labels != 0))


def judged(
    slices: list[Slice], new: list[list[Floats]], old: list[list[Floats]] | None, margin: float
) -> Verdict:
    """The verdict on P(BUY) / (P(BUY) + P(SELL)) over the slices' rows that went up or down."""
    labels = np.concatenate([block.labels[s.rows(block)] for s in slices for block in s.blocks])
    counts = [sum(int(s.rows(block).sum()) for block in s.blocks) for s in slices]
    challenger, champion = _up(new), None if old is None else _up(old)
    known = np.isfinite(challenger)
    if champion is not None:
        known &= np.isfinite(champion)
    base = float(np.average([s.base_rate for s in slices], weights=counts)) if sum(counts) else 0.5
    y = (labels[known] > 0).astype(np.float64)
    return judge(y, challenger[known], None if champion is None else champion[known], base, margin)


def _up(answers: list[list[Floats]]) -> Floats:
    p = np.vstack([part for parts in answers for part in parts])
    return np.asarray(p[:, 1] / (p[:, 1] + p[:, 2]))
