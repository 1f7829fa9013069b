"""A new model against the active one, on the newest candles that neither was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coordinator.components.component import ActiveModel
from coordinator.learning.blocks import Block, pool, split_by_time
from coordinator.learning.promotion import Verdict, judge
from coordinator.settings.learning import LearningSettings
from coordinator.settings.networks import FusionModelSettings
from coordinator.types import Bools, Floats

__all__ = ["PromotionSlice", "challenge"]


@dataclass(frozen=True)
class PromotionSlice:
    """The newest rows of the blocks, from ``start`` on, which neither model was fitted, stopped or scaled on."""

    blocks: list[Block]
    start: int
    base_rate: float
    first: int
    last: int

    @classmethod
    def of(
        cls,
        blocks: list[Block],
        settings: LearningSettings | FusionModelSettings,
        length: int,
        previous: ActiveModel | None,
    ) -> PromotionSlice:
        """The slice that a training with these settings left alone, as far as it lies after the previous model's."""
        data = pool(blocks, settings.label_horizon)
        split = split_by_time(data, length, settings.validation_share, settings.promotion_share)
        start = int(data.times[split.promotion].min())
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
        """Mask of a block's rows that judge: those whose label is up or down."""
        assert block.times is not None
        return np.asarray((block.times >= self.start) & np.isfinite(block.labels) & (block.labels != 0))


def challenge(
    slices: list[PromotionSlice], new: list[list[Floats]], old: list[list[Floats]] | None, margin: float
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
