"""Batch equals incremental, to the bit: candle by candle, with restarts from stored state at random places."""

import json
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.decisions import Decisions
from coordinator.decision.fold import STEP_SECONDS, Fold
from coordinator.decision.table import UNRESOLVED
from coordinator.settings import Settings
from coordinator.settings.trade import EarnedRiskSettings

sys.path.insert(0, str(Path(__file__).parent.parent / "decision"))
from conftest import make_table, varied

SIZING = Settings().sizing.model_copy(
    update={"earned": EarnedRiskSettings(mode="on", days=20, minimum_outcomes=30)}
)
EARNED = Settings().model_copy(update={"sizing": SIZING})
FIXED = Settings().model_copy(
    update={
        "decision": Settings().decision.model_copy(update={"weighting": "fixed", "ml_weight": 0.7}),
        "thresholds": Settings().thresholds.model_copy(update={"mode": "on"}),
    }
)


def candle_by_candle(table, config, restarts):
    """Drive the fold as a bot does; at some candles store its state as JSON and go on in a new one."""
    fold, out, taught = Fold(config), Decisions.empty(len(table)), -1
    candles = np.flatnonzero(np.diff(table.time, prepend=-1))
    for start, end in zip(candles, [*candles[1:], len(table)], strict=True):
        day = int(table.time[start]) // STEP_SECONDS * STEP_SECONDS
        if day != fold.step_:
            past = slice(0, int(start))
            seen = table.rows(past)
            # What a bot knows by then: outcomes of candles that have closed.
            later = seen.outcome_time + seen.candle_seconds > day
            seen = replace(
                seen,
                outcome_time=np.where(later, UNRESOLVED, seen.outcome_time),
                outcome_r=np.where(later, np.nan, seen.outcome_r),
            )
            decided = Decisions(**{f.name: getattr(out, f.name)[past] for f in fields(out)})
            fold.begin_day(day, seen, decided, taught)
            taught = day
        if start in restarts:
            stored = json.dumps(fold.state())
            fold = Fold(config)
            fold.restore(json.loads(stored))
        rows = slice(int(start), int(end))
        new = fold.decide(table.rows(rows))
        for f in fields(out):
            getattr(out, f.name)[rows] = getattr(new, f.name)
    return out, fold


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    restarts=st.sets(st.integers(0, 599), max_size=12),
    config=st.sampled_from([EARNED, FIXED]),
    pairs=st.integers(1, 6),
)
def test_batch_equals_candle_by_candle_with_restarts(seed, restarts, config, pairs):
    table = varied(make_table(seed, pairs=pairs, edge=0.4, days=200), seed)
    batch = Fold(config)
    whole = batch.run(table)
    pieces, fold = candle_by_candle(table, config, restarts)
    for f in fields(whole):
        np.testing.assert_array_equal(getattr(whole, f.name), getattr(pieces, f.name), err_msg=f.name)
    assert json.dumps(fold.state()) == json.dumps(batch.state())


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.floats(0.1, 0.9))
def test_a_batch_goes_on_candle_by_candle(seed, cut):
    """Warm start: history at once, then live."""
    table = varied(make_table(seed, edge=0.4, days=200), seed)
    boundary = int(np.quantile(table.time, cut)) // STEP_SECONDS * STEP_SECONDS
    first = int(np.searchsorted(table.time, boundary))
    whole = Fold(EARNED).run(table)
    fold = Fold(EARNED)
    out = Decisions.empty(len(table))
    early = fold.run(table.rows(slice(0, first)))
    for f in fields(out):
        getattr(out, f.name)[:first] = getattr(early, f.name)
    taught, rest = fold.step_ or -1, np.flatnonzero(np.diff(table.time[first:], prepend=-1)) + first
    for start, end in zip(rest, [*rest[1:], len(table)], strict=True):
        day = int(table.time[start]) // STEP_SECONDS * STEP_SECONDS
        if day != fold.step_:
            decided = Decisions(**{f.name: getattr(out, f.name)[:start] for f in fields(out)})
            fold.begin_day(day, table.rows(slice(0, int(start))), decided, taught)
            taught = day
        new = fold.decide(table.rows(slice(int(start), int(end))))
        for f in fields(out):
            getattr(out, f.name)[start:end] = getattr(new, f.name)
    for f in fields(whole):
        np.testing.assert_array_equal(getattr(whole, f.name), getattr(out, f.name), err_msg=f.name)
