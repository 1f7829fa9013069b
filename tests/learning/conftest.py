"""Made-up signals with a known truth, for the tests of signal quality."""

import numpy as np
import pytest

from coordinator.learning.quality_rows import QualityRows
from coordinator.signals.feature_schema import FeatureSchema

HOUR = 3600
SCHEMA = FeatureSchema(tuple(f"f{i}" for i in range(8)), 1)


def signals(n=3000, seed=0, skill=0.8, reward_risk=2.5):
    """Signals whose chance to win depends on two of eight features; a tenth of the values is missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (n, len(SCHEMA)))
    chance = 1 / (1 + np.exp(0.8 - skill * (x[:, 0] - 0.7 * x[:, 3])))
    won = rng.random(n) < chance
    x[rng.random(x.shape) < 0.1] = np.nan
    time = np.sort(rng.integers(0, 3 * n, n)) * HOUR
    lasts = rng.integers(1, 49, n) * HOUR
    return QualityRows(
        schema=SCHEMA,
        x=x,
        time=time,
        outcome_time=time + lasts,
        r=np.where(won, reward_risk - 0.1, -1.1),
        exit_kind=np.where(won, 1, 2),
        reward_risk=reward_risk,
        candle_seconds=HOUR,
    )


@pytest.fixture(scope="session")
def make_signals():
    return signals


@pytest.fixture(scope="session")
def rows():
    return signals()
