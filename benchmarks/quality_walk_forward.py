"""Signal quality walk-forward: 20,000 made-up signals of the real features' shape, 12 purged folds, seconds in all.

One thread, as shipped: with two on a busy two-core machine this was measured at 135 s, with one at 4.3 s.
"""

import time

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.result import Result
from coordinator.learning.quality import QualityRows, walk_forward_scores
from coordinator.learning.walk_forward import walk_forward
from coordinator.settings import Settings
from coordinator.signals.signal_features import SIGNAL_SCHEMA

SIGNALS, FOLDS, HOUR = 20_000, 12, 3600


def made_up(n: int) -> QualityRows:
    """Random signals in six years with every feature of the schema; some features are steps, a few values missing."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (n, len(SIGNAL_SCHEMA)))
    x[:, ::4] = np.round(x[:, ::4])
    x[rng.random(x.shape) < 0.01] = np.nan
    won = rng.random(n) < 1 / (1 + np.exp(0.9 - 0.2 * np.nan_to_num(x[:, 1]) * np.nan_to_num(x[:, 2])))
    signal = np.sort(rng.integers(0, 6 * 8766, n)) * HOUR
    return QualityRows(
        schema=SIGNAL_SCHEMA,
        x=x,
        time=signal,
        outcome_time=signal + HOUR * rng.integers(1, 49, n),
        r=np.where(won, 2.4, -1.1),
        exit_kind=np.where(won, 1, 2),
        reward_risk=2.5,
        candle_seconds=HOUR,
    )


def run() -> list[Result]:
    settings, rows = Settings().quality, made_up(SIGNALS)
    edges = np.linspace(rows.time[SIGNALS // 4], rows.time[-1] + 1, FOLDS + 1).astype(np.int64)
    begin = time.perf_counter()
    embargo = settings.embargo_candles * HOUR
    folds = walk_forward(rows.time, rows.outcome_time, edges, embargo_seconds=embargo)
    scores, models = walk_forward_scores(rows, folds, settings)
    ours = time.perf_counter() - begin
    assert len(models) == FOLDS and np.isfinite(scores[folds[0].test[0] :]).all()
    reference = _scikit_learn(rows, folds, settings.trees, settings.learning_rate, settings.leaves)
    return [
        Result(
            "quality_walk_forward_seconds",
            ours,
            "s",
            f"aim: 30; scikit-learn's HistGradientBoosting, same folds and trees: {reference:.1f} s",
        )
    ]


def _scikit_learn(rows, folds, trees: int, rate: float, leaves: int) -> float:
    label = (rows.exit_kind == 1).astype(int)
    begin = time.perf_counter()
    for fold in folds:
        model = HistGradientBoostingClassifier(
            max_iter=trees, learning_rate=rate, max_leaf_nodes=leaves, early_stopping=False, random_state=0
        )
        model.fit(rows.x[fold.train], label[fold.train]).predict_proba(rows.x[fold.test])
    return time.perf_counter() - begin
