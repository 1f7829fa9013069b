"""A new model against the active one, on the newest candles that neither was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.components.component import ActiveModel
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.promotion import Verdict, judge
from coordinator.types import Bools, Floats

__all__ = ["ValidationSlice", "challenge"]


@dataclass(frozen=True)
class ValidationSlice:
    """The newest rows of the blocks that neither model was trained on, from ``start`` on."""

    blocks: list[Block]
    start: int
    base_rate: float
    first: int
    last: int

    @classmethod
    def of(
        cls, blocks: list[Block], horizon: int, length: int, share: float, previous: ActiveModel | None
    ) -> ValidationSlice:
        """The validation slice, as far as it lies after what the previous model was trained on."""
        data = pool(blocks, horizon)
        split = split_by_time(data, length, share)
        start = int(data.times[split.validation].min())
        train_labels = data.labels[split.train]
        labelled = data.times[np.isfinite(data.labels)]
        return cls(
            blocks=blocks,
            start=max(start, previous.trained_until if previous else 0),
            base_rate=float((train_labels[train_labels != 0] > 0).mean()),
            first=int(labelled.min()),
            last=int(labelled.max()),
        )

    def rows(self, block: Block) -> Bools:
        """Mask of a block's validation rows: those whose label is up or down."""
        assert block.times is not None
        return np.asarray((block.times >= self.start) & np.isfinite(block.labels) & (block.labels != 0))


def challenge(
    slices: list[ValidationSlice], new: list[list[Floats]], old: list[list[Floats]] | None, margin: float
) -> Verdict:
    """The verdict on P(BUY) / (P(BUY) + P(SELL)) over the slices' rows whose label is up or down.

    Parameters
    ----------
    new, old : for each slice and each of its blocks, probabilities of HOLD, BUY and SELL, shape (n_rows, 3)
    margin : AUC by which the new model must be better
    """
    labels = np.concatenate([block.labels[s.rows(block)] for s in slices for block in s.blocks])
    counts = [sum(int(s.rows(block).sum()) for block in s.blocks) for s in slices]
    challenger, champion = _up_probability(new), None if old is None else _up_probability(old)
    finite = np.isfinite(challenger)
    if champion is not None:
        finite &= np.isfinite(champion)
    base = float(np.average([s.base_rate for s in slices], weights=counts)) if sum(counts) else 0.5
    y = (labels[finite] > 0).astype(np.float64)
    return judge(y, challenger[finite], None if champion is None else champion[finite], base, margin)


def _up_probability(probabilities: list[list[Floats]]) -> Floats:
    p = np.vstack([part for parts in probabilities for part in parts])
    return np.asarray(p[:, 1] / (p[:, 1] + p[:, 2]))
