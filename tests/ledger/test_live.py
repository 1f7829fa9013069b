"""A live run: a candle is written whole and once, whatever is tried, and comes back as it went in."""

import sqlite3
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.frame import normalise_decisions
from coordinator.ledger.records import (
    CandleRecord,
    DropRow,
    ImprovementRow,
    OutcomeRow,
    SignalRow,
    SnapshotRow,
    ThresholdRow,
    VoteRow,
    VoteWeightRow,
    WeightRow,
    signal_rows,
)
from coordinator.ledger.store import Ledger, RunInfo

HOUR = 3600
INFO = RunInfo("S", datetime(2024, 1, 1, tzinfo=UTC), "1h", {"decision": {"threshold": 0.7}}, bot="test")
SIGNAL = SignalRow(
    "BTC/USDT", 1, 100.0, 98.0, 105.0, 48, "ema cross", 0.7, 0.8, 0.7, 0.1, True, "",
    0.55, 0.5, 0.31, 0.02, "breakout", "pilot", "blend", "bull_low",
    (VoteRow("lstm", -1, 0.6, 0.4), VoteRow("technical", 1, 0.9, 0.8)),
)  # fmt: skip
OTHER = SIGNAL._replace(pair="ETH/USDT", accepted=False, rejection="confidence below 70%", votes=())
FULL = CandleRecord(
    HOUR,
    (SIGNAL, OTHER),
    (),
    (WeightRow("pilot", 0.1, "review", {"accuracy": 0.56, "sharpe": None}),),
    (VoteWeightRow("fusion", 0.2), VoteWeightRow("lstm", 0.25)),
    (ThresholdRow("BTC/USDT", 0.72, "false positives"),),
    (DropRow("BTC/USDT", "attention", "stale"), DropRow("BTC/USDT", "selector", "raised KeyError")),
    (ImprovementRow("BTC/USDT", "dynamic_rr", "shadow", 2.5, 2.9),),
    (SnapshotRow("blender", {"weight": 0.1, "losses": [1, 2]}), SnapshotRow("selector", {"q": {"a": 0.1}})),
)
OUTCOME = OutcomeRow(HOUR, "BTC/USDT", 1.9, "target", 2 * HOUR)


@pytest.fixture
def ledger(ledger_url):
    return Ledger(ledger_url)


@pytest.fixture
def run(ledger):
    return ledger.open_run(INFO)


def test_a_candle_comes_back_as_it_went_in(ledger, run):
    ledger.write_candle(run, FULL)
    ledger.write_candle(run, CandleRecord(2 * HOUR, outcomes=(OUTCOME,)))
    ledger.write_candle(run, CandleRecord(3 * HOUR))
    assert list(ledger.replay(run)) == [
        FULL,
        CandleRecord(2 * HOUR, outcomes=(OUTCOME,)),
        CandleRecord(3 * HOUR),
    ]
    assert [record.time for record in ledger.replay(run, after=HOUR)] == [2 * HOUR, 3 * HOUR]
    assert ledger.last_candle(run) == 3 * HOUR
    assert ledger.check() == []
    back = ledger.read_decisions(run)
    assert back["pair"].tolist() == ["BTC/USDT", "ETH/USDT"]
    assert back["outcome_r"].iloc[0] == 1.9
    assert back["lstm_percentile"].iloc[0] == 0.4
    assert back["rejection"].tolist() == ["", "confidence below 70%"]


def test_a_candle_written_twice_is_there_once(ledger, run):
    later = CandleRecord(2 * HOUR, (SIGNAL,), (OUTCOME,))
    for record in (FULL, FULL, later, FULL, later):
        ledger.write_candle(run, record)
    assert list(ledger.replay(run)) == [FULL, later]
    assert ledger.check() == []


def test_pairs_and_rows_may_join_a_candle_later(ledger, run):
    ledger.write_candle(run, replace(FULL, signals=(OTHER,), drops=FULL.drops[:1], snapshots=()))
    ledger.write_candle(run, replace(FULL, weights=(), improvements=()))
    assert list(ledger.replay(run)) == [FULL]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"signals": (SIGNAL._replace(price=100.1),)}, "signals.*time 3600, pair BTC/USDT"),
        ({"signals": (SIGNAL._replace(accepted=False, rejection="late"),)}, "decisions.*pair BTC/USDT"),
        ({"signals": (SIGNAL._replace(votes=SIGNAL.votes[:1]),)}, "votes.*pair BTC/USDT"),
        ({"signals": (SIGNAL._replace(votes=(VoteRow("lstm", -1, 0.6, 0.5), SIGNAL.votes[1])),)}, "votes"),
        ({"signals": (OTHER._replace(votes=SIGNAL.votes),)}, "votes.*pair ETH/USDT"),
        ({"weights": (WeightRow("shadow", 0.0, "breaker", {}),)}, "weight_history"),
        ({"vote_weights": (VoteWeightRow("lstm", 0.3),)}, "vote_weight_history.*component lstm"),
        ({"thresholds": (ThresholdRow("BTC/USDT", 0.74, "false positives"),)}, "threshold_history"),
        ({"drops": (DropRow("BTC/USDT", "attention", "missing"),)}, "drops.*component attention"),
        ({"improvements": (ImprovementRow("BTC/USDT", "dynamic_rr", "on", 2.5, 2.9),)}, "improvements"),
        ({"snapshots": (SnapshotRow("blender", {"weight": 0.2}),)}, "learner_snapshots.*learner blender"),
    ],
)
def test_nothing_is_rewritten(ledger, run, change, key):
    ledger.write_candle(run, FULL)
    # What is new beside the contradiction is not written either.
    newcomer = DropRow("SOL/USDT", "lstm", "missing")
    changed = CandleRecord(HOUR, **({"drops": (newcomer,)} | change))
    with pytest.raises(CoordinatorError, match=rf"(?s){key}.*stay as written"):
        ledger.write_candle(run, changed)
    assert list(ledger.replay(run)) == [FULL]


def test_an_outcome_is_resolved_once(ledger, run):
    ledger.write_candle(run, FULL)
    ledger.write_candle(run, CandleRecord(3 * HOUR, outcomes=(OUTCOME,)))
    ledger.write_candle(
        run, CandleRecord(4 * HOUR, outcomes=(OUTCOME,))
    )  # told again: it stays known since 3
    for changed in (
        OUTCOME._replace(r=-1.0),
        OUTCOME._replace(exit="stop"),
        OUTCOME._replace(time_resolved=3 * HOUR),
    ):
        with pytest.raises(CoordinatorError, match=r"outcomes.*time 3600, pair BTC/USDT.*stay as written"):
            ledger.write_candle(run, CandleRecord(5 * HOUR, outcomes=(changed,)))
    assert [len(record.outcomes) for record in ledger.replay(run)] == [0, 1, 0]
    with pytest.raises(CoordinatorError, match="belong to a written signal"):
        ledger.write_candle(run, CandleRecord(5 * HOUR, outcomes=(OUTCOME._replace(pair="SOL/USDT"),)))
    assert ledger.last_candle(run) == 4 * HOUR


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (CandleRecord(HOUR, outcomes=(OUTCOME,)), "lie after its signal and not after this candle"),
        (CandleRecord(2 * HOUR, outcomes=(OUTCOME._replace(time=2 * HOUR),)), "lie after its signal"),
        (CandleRecord(2 * HOUR, outcomes=(OUTCOME._replace(r=float("nan")),)), "be known"),
        (CandleRecord(HOUR, (SIGNAL, SIGNAL)), "hold each key once"),
        (CandleRecord(HOUR, weights=FULL.weights * 2), "hold each key once"),
        (CandleRecord(HOUR, (SIGNAL._replace(direction=0),)), "be -1 or 1"),
        (CandleRecord(HOUR, (SIGNAL._replace(votes=(VoteRow("oracle", 1, 1.0, 1.0),)),)), "technical, lstm"),
        (CandleRecord(HOUR, (SIGNAL._replace(votes=(VoteRow("lstm", None, None, None),)),)), "be left out"),
        (CandleRecord(HOUR, improvements=(ImprovementRow("A", "b", "maybe", 1.0, 1.0),)), "be shadow or on"),
        (CandleRecord(HOUR, snapshots=(SnapshotRow("a", {"x": float("inf")}),)), "be finite"),
        (CandleRecord(HOUR, snapshots=(SnapshotRow("a", {1: 2}),)), "be a text"),
        (CandleRecord(HOUR, snapshots=(SnapshotRow("a", {"x": {1, 2}}),)), "JSON type"),
    ],
)
def test_what_no_candle_writes_is_refused(tmp_path, record, rule):
    ledger = Ledger(tmp_path / "x.sqlite")
    run = ledger.open_run(INFO)
    with pytest.raises(CoordinatorError, match=rule):
        ledger.write_candle(run, record)
    assert ledger.last_candle(run) is None


numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(words, json_values, max_size=3)


def keyed(row, *strategies, keys=("A/USDT", "B/USDT", "Ä/USDT")):
    """Rows of a type with different keys, in order."""
    rows = st.builds(row, st.sampled_from(keys), *strategies)
    return st.lists(rows, max_size=3, unique_by=lambda r: r[0]).map(
        lambda r: tuple(sorted(r, key=lambda x: x[0]))
    )


votes = keyed(
    VoteRow, st.sampled_from([-1, 0, 1]), numbers, numbers, keys=schema.COMPONENTS
)  # fmt: skip
signals = keyed(
    SignalRow, st.sampled_from([-1, 1]), numbers, numbers, numbers, st.integers(1, 500), words,
    numbers, numbers, numbers, numbers, st.booleans(), words,
    *(numbers,) * 4, *(st.sampled_from(["", "a", "b"]),) * 4, votes, st.sampled_from(["1h", "4h", "1d"]),
)  # fmt: skip
records = st.builds(
    CandleRecord,
    time=st.integers(0, 4 * 10**9),
    signals=signals,
    weights=st.lists(st.builds(WeightRow, words, numbers, words, objects), max_size=1).map(tuple),
    vote_weights=keyed(VoteWeightRow, numbers, keys=schema.COMPONENTS),
    thresholds=keyed(ThresholdRow, numbers, words),
    drops=keyed(DropRow, st.sampled_from(schema.COMPONENTS), words),
    improvements=keyed(ImprovementRow, st.just("n"), st.sampled_from(["shadow", "on"]), numbers, numbers),
    snapshots=keyed(SnapshotRow, objects, keys=("q", "thresholds")),
)
_bots = count()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(records, max_size=4, unique_by=lambda record: record.time), data=st.data())
def test_any_candles_in_any_order_and_repetition_replay_the_same(ledger, found, data):
    run = ledger.open_run(replace(INFO, bot=f"bot {next(_bots)}", started_at=datetime.now(UTC)))
    written = list(found)
    if found:
        written += data.draw(st.lists(st.sampled_from(found), max_size=3))
    for record in data.draw(st.permutations(written)):
        ledger.write_candle(run, record)
    assert list(ledger.replay(run)) == sorted(found, key=lambda record: record.time)
    for record in found:
        for row in record.snapshots:
            assert ledger.snapshot(run, row.learner, record.time) == (record.time, row.state)
    assert ledger.check() == []


def test_nan_is_stored_as_unknown(ledger, run):
    strange = SIGNAL._replace(price=float("nan"), stop=np.float64(98.0), unified_score=np.nan)
    state = {"mean": np.float64("nan"), "counts": np.array([1, 2])}
    ledger.write_candle(run, CandleRecord(np.int64(HOUR), (strange,), snapshots=(SnapshotRow("a", state),)))
    (back,) = ledger.replay(run)
    assert back.signals == (SIGNAL._replace(price=None, unified_score=None),)
    assert back.snapshots[0].state == {"mean": None, "counts": [1, 2]}


def test_a_restarted_bot_continues_its_run(ledger, run):
    ledger.write_candle(run, FULL)
    restarted = replace(INFO, started_at=datetime(2024, 2, 1, tzinfo=UTC))
    assert ledger.open_run(restarted) == run
    others = (
        replace(restarted, bot="other"),
        replace(restarted, settings={}, started_at=datetime(2024, 2, 2, tzinfo=UTC)),
    )
    with pytest.raises(CoordinatorError, match="differ from every other run's"):
        ledger.open_run(replace(INFO, bot="other"))
    assert len({run, *(ledger.open_run(other) for other in others)}) == 3
    ledger.close_run(run, datetime(2024, 3, 1, tzinfo=UTC))
    with pytest.raises(CoordinatorError, match="be an open live run"):
        ledger.write_candle(run, CandleRecord(2 * HOUR))
    again = ledger.open_run(replace(INFO, started_at=datetime(2024, 3, 2, tzinfo=UTC)))
    assert again != run
    assert ledger.last_candle(again) is None
    runs = ledger.runs().set_index("id")
    assert runs.loc[run, "closed_at"] == pd.Timestamp("2024-03-01", tz="UTC")
    assert runs["kind"].unique().tolist() == ["live"]


def test_batch_and_live_runs_keep_to_themselves(ledger, run, make_decisions):
    with pytest.raises(CoordinatorError, match="a live run is never rewritten"):
        ledger.write_run(INFO, make_decisions(4))
    batch = ledger.write_run(replace(INFO, started_at=datetime(2025, 1, 1, tzinfo=UTC)), make_decisions(4))
    with pytest.raises(CoordinatorError, match="be an open live run"):
        ledger.write_candle(batch, FULL)
    with pytest.raises(CoordinatorError, match="no such run"):
        ledger.write_candle(99, FULL)


def test_a_table_of_decisions_written_candle_by_candle_reads_the_same(ledger, run, make_decisions):
    frame = make_decisions(60)
    batch = ledger.write_run(replace(INFO, started_at=datetime(2025, 1, 1, tzinfo=UTC)), frame)
    known = normalise_decisions(frame, "test").dropna(subset="outcome_time")
    resolved: dict[int, list[OutcomeRow]] = {}
    for row in known.itertuples():
        at = int(row.outcome_time.timestamp())
        seconds = int(row.time.timestamp())
        resolved.setdefault(at, []).append(OutcomeRow(seconds, row.pair, row.outcome_r, row.outcome_exit, at))
    rows = signal_rows(frame)
    for at in sorted(set(rows) | set(resolved)):
        ledger.write_candle(run, CandleRecord(at, rows.get(at, ()), tuple(sorted(resolved.get(at, [])))))
    assert list(ledger.replay(run)) == list(ledger.replay(batch))
    pd.testing.assert_frame_equal(ledger.read_decisions(run), ledger.read_decisions(batch))
    pd.testing.assert_frame_equal(ledger.read_decisions(run), normalise_decisions(frame, "test"))


def test_a_backtest_keeps_its_histories_and_replaces_them(ledger, make_decisions):
    kept = replace(FULL, signals=(), time=int(pd.Timestamp("2024-01-01", tz="UTC").timestamp()))
    for _ in range(2):
        run = ledger.write_run(INFO, make_decisions(6), [kept])
    first = next(ledger.replay(run))
    assert replace(first, signals=()) == kept
    assert len(first.signals) == 2
    assert ledger.history(run, "vote_weights")["weight"].tolist() == [0.2, 0.25]


def test_histories_are_tables(ledger, run):
    ledger.write_candle(run, FULL)
    ledger.write_candle(run, CandleRecord(2 * HOUR, drops=(DropRow("BTC/USDT", "attention", "stale"),)))
    drops = ledger.history(run, "drops")
    assert drops.groupby(["component", "reason"]).size().to_dict() == {
        ("attention", "stale"): 2,
        ("selector", "raised KeyError"): 1,
    }
    assert str(drops["time"].dtype) == "datetime64[us, UTC]"
    assert ledger.history(run, "weights")["metrics"].tolist() == [{"accuracy": 0.56, "sharpe": None}]
    assert len(ledger.history(run + 1, "thresholds")) == 0
    with pytest.raises(CoordinatorError, match="be one of weights"):
        ledger.history(run, "moods")


def test_a_snapshot_is_the_last_one_by_then(ledger, run):
    for i in (1, 2, 4):
        ledger.write_candle(run, CandleRecord(i * HOUR, snapshots=(SnapshotRow("q", {"n": i}),)))
    assert ledger.snapshot(run, "q", HOUR - 1) is None
    assert [ledger.snapshot(run, "q", i * HOUR).state["n"] for i in (1, 2, 3, 4, 9)] == [1, 2, 2, 4, 4]
    assert ledger.snapshot(run, "other", 9 * HOUR) is None


def test_readers_see_whole_candles_while_one_writes(ledger, run):
    """Each candle has two signals and one drop: a reader that sees one without the others saw half a transaction."""
    done, seen, failures = threading.Event(), [], []

    def read():
        try:
            while not done.is_set():
                seen.append([(len(r.signals), len(r.drops)) for r in ledger.replay(run)])
        except Exception as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(1, 41):
        ledger.write_candle(run, CandleRecord(i * HOUR, (SIGNAL, OTHER), drops=FULL.drops[:1]))
    time.sleep(0.05)
    done.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert {counts for found in seen for counts in found} == {(2, 1)}
    assert max(len(found) for found in seen) > 5


def test_two_writers_take_turns(ledger_url):
    """Both write all of the same candles, as two bots started by mistake would: each candle is there once."""
    run = Ledger(ledger_url).open_run(INFO)
    failures = []

    def write():
        mine = Ledger(ledger_url)
        try:
            for i in range(1, 31):
                mine.write_candle(run, replace(FULL, time=i * HOUR))
        except Exception as error:
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures
    assert list(Ledger(ledger_url).replay(run)) == [replace(FULL, time=i * HOUR) for i in range(1, 31)]


def test_commits_are_synced_and_logged_ahead(tmp_path):
    ledger = Ledger(tmp_path / "x.sqlite")
    ledger.open_run(INFO)
    with ledger.database.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("synchronous", "foreign_keys")
        ]
    assert pragmas == [2, 1]  # FULL: a power cut loses no committed decision
    with sqlite3.connect(tmp_path / "x.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_replay_is_quick(tmp_path, make_decisions, run_info):
    """A tenth of the aim of 50,000 signals a second, so that a busy machine passes; the benchmark has the figure."""
    ledger = Ledger(tmp_path / "x.sqlite")
    run = ledger.write_run(run_info, make_decisions(10_000))
    begin = time.process_time()
    assert sum(len(record.signals) for record in ledger.replay(run)) == 10_000
    assert time.process_time() - begin < 2
