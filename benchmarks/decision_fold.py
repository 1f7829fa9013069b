"""The fold: signals a second of one core, and its memory beside the number of signals."""

import time
import tracemalloc

import numpy as np

from benchmarks.result import Result
from coordinator.decision.fold import Fold
from coordinator.decision.table import SignalTable
from coordinator.decision.voting import Votes
from coordinator.settings import Settings

PAIRS, PER_DAY, DAYS = 8, 20, 1000


def made_up(days: int) -> SignalTable:
    """Random signals of eight pairs, twenty a day, with three voting components and resolved outcomes."""
    rng = np.random.default_rng(0)
    n = days * PER_DAY
    hour, pair = np.sort(rng.integers(0, days * 24, n)), rng.integers(0, PAIRS, n)
    direction, tactic = rng.choice([-1, 1], n), rng.choice([-1, 0, 1], (n, 4))
    scores = {name: rng.uniform(-1, 1, n) for name in ("lstm", "fusion", "attention")}
    confidence = rng.uniform(0.4, 1, n)
    votes = {"technical": Votes(direction.astype(float), confidence, direction * confidence)}
    votes |= {name: Votes(np.sign(score), np.abs(score), score) for name, score in scores.items()}
    won = rng.random(n) < 0.29
    return SignalTable(
        pairs=tuple(f"P{i}/USDT" for i in range(PAIRS)),
        candle_seconds=3600,
        time=hour * 3600,
        pair=pair,
        direction=direction,
        votes=votes,
        stop=rng.uniform(0.01, 0.03, n),
        target=rng.uniform(0.03, 0.08, n),
        state=rng.integers(0, 15, n),
        tactic_direction=tactic,
        tactic_confidence=np.where(tactic != 0, 0.7, 0.0),
        clock=np.zeros(n, dtype=np.int64),
        rearmed=np.zeros(n, dtype=np.int64),
        barred=np.zeros(n, dtype=np.int64),
        outcome_r=np.where(won, 2.4, -1.1),
        outcome_exit=np.where(won, 1, 2),
        outcome_time=hour * 3600 + 3600 * rng.integers(1, 72, n),
        outcome_state=rng.integers(0, 15, n),
    )


def run() -> list[Result]:
    table, settings = made_up(DAYS), Settings()
    best = min(_seconds(table, settings) for _ in range(7))
    small, large = (_megabytes(made_up(days), settings) for days in (DAYS, 4 * DAYS))
    return [
        Result("fold_signals_per_second", len(table) / best, "1/s", "aim: 50000 on one core"),
        Result("fold_memory_ratio", large / small, "x", f"4 x the signals; {small:.1f} MB for {len(table)}"),
    ]


def _seconds(table: SignalTable, settings: Settings) -> float:
    begin = time.process_time()
    Fold(settings).run(table)
    return time.process_time() - begin


def _megabytes(table: SignalTable, settings: Settings) -> float:
    tracemalloc.start()
    Fold(settings).run(table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20
