"""A bot equals the backtest, to the bit: pairs one by one, sliding frames, restarts, candles that come late."""

import json
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.decision.fold import Fold
from coordinator.decision.history import SignalHistory
from coordinator.decision.live import LiveFold
from coordinator.decision.table import UNRESOLVED, join_tables
from coordinator.decision.voting import Votes
from coordinator.settings import Settings
from coordinator.settings.blending import BlendingSettings
from coordinator.settings.trade import EarnedRiskSettings

sys.path.insert(0, str(Path(__file__).parent.parent / "decision"))
from conftest import make_table, varied

DAY = 86400
FRAME = 20 * DAY  # what the exchange's frames still show


def seen_by(table, now, pairs_now, now_of_others, frame=FRAME):
    """The table a bot builds when some pairs have their candle of ``now`` already and the others not yet."""
    limit = np.where(np.isin(table.pair, pairs_now), now, now_of_others)
    rows = (table.time <= limit) & (table.time > now - frame)
    part = table.rows(rows)
    unknown = part.outcome_time > limit[rows]
    return replace(
        part,
        outcome_time=np.where(unknown, UNRESOLVED, part.outcome_time),
        outcome_r=np.where(unknown, np.nan, part.outcome_r),
        outcome_exit=np.where(unknown, 0, part.outcome_exit),
        outcome_state=np.where(unknown, -1, part.outcome_state),
    )


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    restarts=st.sets(st.integers(0, 400), max_size=8),
    fixed=st.booleans(),
    order=st.permutations(range(3)),
)
def test_a_bot_decides_as_the_backtest(seed, restarts, fixed, order):
    decision = Settings().decision.model_copy(update={"weighting": "fixed" if fixed else "earned"})
    earned = EarnedRiskSettings(mode="on", days=20, minimum_outcomes=30)
    sizing = Settings().sizing.model_copy(update={"earned": earned})
    config = Settings().model_copy(update={"decision": decision, "sizing": sizing})
    table = varied(make_table(seed, n=500, pairs=3, days=90, edge=0.4), seed)
    whole = Fold(config).run(table)
    expected = {key: i for i, key in enumerate(table.signal_keys())}
    live = LiveFold(config)
    checked = 0
    for step, now in enumerate(np.unique(table.time).tolist()):
        if step in restarts and live.state() is not None:
            stored = json.dumps(live.state(), allow_nan=False)
            live = LiveFold(config)
            live.restore(json.loads(stored))
        for place in range(3):
            part = seen_by(table, now, order[: place + 1], now - 3600)
            decided = live.decide(part, now)
            rows = np.array([expected[key] for key in part.signal_keys()], dtype=np.int64)
            there = (
                decided.rejection >= 0
            )  # after a restart only open signals and the present day's are known
            assert there[part.time >= now // DAY * DAY].all()
            assert restarts or there.all()
            for f in fields(whole):
                np.testing.assert_array_equal(
                    getattr(decided, f.name)[there],
                    getattr(whole, f.name)[rows[there]],
                    err_msg=f"{f.name} at {now}",
                )
            checked += int(there.sum())
    assert checked > 10_000


def test_the_bot_starts_warm_from_the_frames():
    """Frames with history on the first call: the same as a backtest over the frames."""
    config = Settings()
    table = varied(make_table(5, n=900, pairs=3, days=50, edge=0.4), 5)
    live = LiveFold(config)
    for pairs_now in ((0,), (0, 1), (0, 1, 2)):  # the first candle's pairs arrive one by one
        part = table.rows(np.isin(table.pair, pairs_now))
        decided = live.decide(part, int(table.time[-1]))
    whole = Fold(config).run(table)
    for f in fields(whole):
        np.testing.assert_array_equal(getattr(decided, f.name), getattr(whole, f.name), err_msg=f.name)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000), began=st.integers(30, 60), restart=st.integers(61, 80))
def test_a_fast_start_is_the_run_that_began_earlier(seed, began, restart):
    """Signals of before the run, with outcomes that come later, and a run's own: as if there had been one run."""
    config = Settings(blending=BlendingSettings(start_phase="expansion"))
    table = varied(make_table(seed, n=500, pairs=3, days=90, edge=0.4), seed)
    first = int(table.time[0]) // DAY * DAY
    until = first + began * DAY
    whole = Fold(config).run(table)
    # A backtest: its frames begin ten days before, without the votes that only the history has.
    before = SignalHistory(table.rows(table.time < until), until)
    framed = table.rows(table.time >= until - 10 * DAY)
    early = framed.rows(framed.time < until)
    early = replace(early, votes={name: Votes.absent(len(early)) for name in table.votes})
    framed = join_tables(early, framed.rows(framed.time >= until))
    decided = before.decisions_of(framed, Fold(config).run(before.before(framed)))
    expected = whole.rows(table.time >= until - 10 * DAY)
    for f in fields(whole):
        np.testing.assert_array_equal(getattr(decided, f.name), getattr(expected, f.name), err_msg=f.name)
    # A bot: candle by candle, what it knew of the history's outcomes when it began, and a restart.
    live = LiveFold(config)
    live.before = SignalHistory(seen_by(table, until - 3600, range(3), until - 3600, frame=10**9), until)
    row_of = {key: i for i, key in enumerate(table.signal_keys())}
    for now in np.unique(table.time[table.time >= until]).tolist():
        if now >= first + restart * DAY and live.before is not None:
            stored = json.dumps(live.state(), allow_nan=False)
            live = LiveFold(config)
            live.restore(json.loads(stored))
        part = seen_by(table, now, range(3), now)
        decided = live.decide(part, now)
        today = part.time >= now // DAY * DAY
        rows = np.array([row_of[key] for key in part.signal_keys()], dtype=np.int64)
        for f in fields(whole):
            np.testing.assert_array_equal(
                getattr(decided, f.name)[today],
                getattr(whole, f.name)[rows[today]],
                err_msg=f"{f.name} at {now}",
            )


def test_a_signal_that_the_history_lacks_is_not_decided():
    table = make_table(3, n=200, pairs=2, days=30)
    until = int(table.time[0]) // DAY * DAY + 15 * DAY
    lacking = table.rows((table.time < until) & (np.arange(len(table)) % 2 == 0))
    before = SignalHistory(lacking, until)
    decided = before.decisions_of(table, Fold(Settings()).run(before.before(table)))
    known = np.isin(np.arange(len(table)) % 2, 0) | (table.time >= until)
    assert (decided.rejection[~known] == -1).all()
    assert (decided.rejection[known] >= 0).all()


def test_what_was_decided_stays_decided():
    """A frame whose past has changed (an exchange corrects a candle) changes no decision."""
    table = varied(make_table(6, n=300, pairs=2, days=60), 6)
    live = LiveFold(Settings())
    first = live.decide(table, int(table.time[-1]))
    votes = {name: replace(vote, score=-vote.score) for name, vote in table.votes.items()}
    second = live.decide(replace(table, votes=votes), int(table.time[-1]))
    for f in fields(first):
        np.testing.assert_array_equal(getattr(first, f.name), getattr(second, f.name))


def test_memory_is_bounded():
    table = varied(make_table(7, n=3000, pairs=2, days=400), 7)
    live = LiveFold(Settings())
    for now in np.unique(table.time // DAY * DAY).tolist():
        live.decide(table.rows((table.time <= now) & (table.time > now - FRAME)), now)
    oldest = min(live._remembered().time)
    assert oldest >= live.fold.step_ - 61 * DAY
    assert len(live._learned) <= len(live._remembered())
