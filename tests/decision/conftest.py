"""Made-up signal tables: any mix of pairs, absent components and outcomes."""

from dataclasses import replace

import numpy as np
import pytest

from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.decision.voting import Votes

HOUR = 3600


def make_table(seed=0, n=600, pairs=3, days=120, edge=0.0, absent=0.1) -> SignalTable:
    """Random signals; ``edge`` ties outcomes to the LSTM's conviction."""
    rng = np.random.default_rng(seed)
    hour, pair = rng.integers(0, days * 24, n), rng.integers(0, pairs, n)
    keys = np.unique(np.column_stack((hour, pair)), axis=0)
    n, time, pair = len(keys), keys[:, 0] * HOUR + 1_600_000_000 // 86400 * 86400, keys[:, 1]
    direction = rng.choice([-1, 1], n)
    confidence = rng.uniform(0.4, 1, n)
    votes = {"technical": Votes(direction.astype(float), confidence, direction * confidence)}
    for name in ("lstm", "fusion"):
        score = np.where(rng.random(n) < absent, np.nan, rng.uniform(-1, 1, n))
        votes[name] = Votes(np.sign(score), np.abs(score), score)
    backed = np.nan_to_num(direction * votes["lstm"].score)
    won = rng.random(n) < 1 / 3.5 + edge * backed
    late = rng.random(n) < 0.03
    tactic = rng.choice([-1, 0, 1], (n, 4))
    return SignalTable(
        pairs=tuple(f"P{i}/USDT" for i in range(pairs)),
        candle_seconds=HOUR,
        time=time,
        pair=pair,
        direction=direction,
        votes=votes,
        stop=rng.uniform(0.01, 0.03, n),
        target=rng.uniform(0.03, 0.08, n),
        state=rng.integers(0, 15, n),
        tactic_direction=tactic,
        tactic_confidence=np.where(tactic != 0, rng.uniform(0.5, 1, (n, 4)), 0.0),
        clock=np.zeros(n, dtype=np.int64),
        rearmed=np.zeros(n, dtype=np.int64),
        barred=np.zeros(n, dtype=np.int64),
        outcome_r=np.where(late, np.nan, np.where(won, 2.4, -1.1)),
        outcome_exit=np.where(late, 0, np.where(won, 1, 2)),
        outcome_time=np.where(late, UNRESOLVED, time + HOUR * rng.integers(1, 72, n)),
        outcome_state=np.where(late, -1, rng.integers(0, 15, n)),
    )


def varied(table: SignalTable, seed: int) -> SignalTable:
    """The same signals, some judged by a model, re-armed, barred or without a target."""
    rng, n = np.random.default_rng([seed, 1]), len(table)
    quality = np.where(rng.random(n) < 0.5, rng.random(n), np.nan)
    return replace(
        table,
        votes={**table.votes, "quality": Votes.in_favour(table.direction, quality)},
        rearmed=(rng.random(n) < 0.3).astype(np.int64),
        barred=np.where(rng.random(n) < 0.2, 5, 0),
        target=np.where(rng.random(n) < 0.3, np.inf, table.target),
    )


@pytest.fixture(scope="session")
def tables():
    return make_table


@pytest.fixture(scope="session")
def rows_of():
    return SignalTable.rows
