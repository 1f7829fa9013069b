"""A control: MLCoordinator with seeded noise, or a constant, in the signal-quality model's place."""

import zlib
from dataclasses import replace

import numpy as np

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.decision.voting import Votes


class ControlQuality(CoordinatorStrategy):
    """Every signal is judged by ``{"control": {"kind": "noise", "seed": 0}}`` or ``{"kind": "constant"}``."""

    uses_ml = True

    def add_predictions(self, dataframe, metadata, analyses):
        return dataframe, [self._judged(metadata["pair"], analysis) for analysis in analyses]

    def _judged(self, pair, analysis):
        asked, n = self.config["control"], len(analysis.index)
        if asked["kind"] == "constant" or not n:
            return _with_quality(analysis, np.full(n, 0.5))
        rng = np.random.default_rng([asked["seed"], zlib.crc32(pair.encode())])
        days = analysis.candles.time[analysis.index] // 86400
        daily = rng.uniform(0.0, 1.0, int(days.max() - days.min()) + 1)  # one score a day, as the panel's
        return _with_quality(analysis, daily[days - days.min()])


def _with_quality(analysis, quality):
    votes = {**analysis.votes, "quality": Votes.in_favour(analysis.direction, quality)}
    return replace(analysis, votes=votes)
