"""The ledger gives back what was written, once, and says what is wrong with a file that is none."""

import sqlite3
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, func, select

from coordinator.decision.voting import COMPONENTS as DECISION_COMPONENTS
from coordinator.errors import CoordinatorError
from coordinator.ledger import schema
from coordinator.ledger.frame import COLUMNS, DETAILS, normalise_decisions, vote_columns
from coordinator.ledger.records import CandleRecord, ImprovementRow
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.ledger.upgrade import HEAD

unit = st.floats(0, 1)
maybe = st.one_of(st.just(np.nan), unit)
number = st.floats(allow_nan=False, allow_infinity=False, width=64)
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
vote = st.one_of(
    st.just((np.nan, np.nan, np.nan)), st.tuples(st.sampled_from([-1.0, 0.0, 1.0]), maybe, maybe)
)
outcome = st.one_of(
    st.just((np.nan, "", pd.NaT)),
    st.tuples(
        number,
        st.sampled_from(["target", "stop", "horizon"]),
        st.integers(0, 4 * 10**9).map(lambda s: pd.Timestamp(s, unit="s", tz="UTC")),
    ),
)


@st.composite
def decision_tables(draw):
    keys = draw(
        st.lists(st.tuples(st.integers(0, 4 * 10**9), st.sampled_from("ABC")), max_size=6, unique=True)
    )
    n = len(keys)

    def column(strategy):
        return draw(st.lists(strategy, min_size=n, max_size=n))

    frame = pd.DataFrame(
        {
            "time": pd.to_datetime([k[0] for k in keys], unit="s", utc=True),
            "pair": pd.Series([f"{k[1]}/USDT" for k in keys], dtype="str"),
            "direction": np.array(column(st.sampled_from([-1, 1])), dtype=np.int8),
            **{name: np.array(column(number)) for name in ("price", "stop", "target")},
            "horizon": np.array(column(st.integers(1, 500)), dtype=np.int64),
            "clock": pd.Series(column(st.sampled_from(["1h", "4h", "1d"])), dtype="str"),
            "reasons": pd.Series(column(text), dtype="str"),
        }
    )
    for component in schema.COMPONENTS:
        if draw(st.booleans()):
            votes = np.array(column(vote), dtype=float).reshape(n, 3)
            frame[list(vote_columns(component))] = votes
    for name in ("unified_score", "unified_confidence", "threshold", "ml_weight"):
        frame[name] = np.array(column(unit), dtype=float)
    frame["accepted"] = np.array(column(st.booleans()), dtype=bool)
    frame["rejection"] = pd.Series(column(text), dtype="str")
    for name in DETAILS[:4]:
        frame[name] = np.array(column(number), dtype=float)
    for name in DETAILS[4:]:
        frame[name] = pd.Series(column(text), dtype="str")
    outcomes = column(outcome)
    frame["outcome_r"] = np.array([o[0] for o in outcomes], dtype=float)
    frame["outcome_exit"] = pd.Series([o[1] for o in outcomes], dtype="str")
    frame["outcome_time"] = pd.Series([o[2] for o in outcomes], dtype="datetime64[ns, UTC]")
    return frame


def counts(path) -> dict[str, int]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in schema.metadata.tables.items()
        }


@settings(max_examples=25, deadline=None)
@given(frame=decision_tables())
def test_what_is_written_is_read_back_to_the_bit(frame):
    ledger = Ledger("sqlite://")
    run = ledger.write_run(RunInfo("S", datetime.fromisoformat("2024-01-01T00:00:00+00:00"), "1h"), frame)
    back = ledger.read_decisions(run)
    assert set(frame.columns) <= set(COLUMNS)
    full = frame.reindex(columns=list(COLUMNS))
    expected = full.sort_values(["time", "pair"], kind="stable", ignore_index=True)
    assert tuple(back.columns) == COLUMNS
    for name in ("time", "outcome_time"):
        pd.testing.assert_series_equal(back[name], expected[name].dt.as_unit("us"))
    rest = [name for name in COLUMNS if name not in ("time", "outcome_time")]
    pd.testing.assert_frame_equal(back[rest], expected[rest], check_exact=True, check_dtype=len(frame) > 0)


def test_writing_a_run_again_replaces_it(tmp_path, make_decisions, run_info):
    path = tmp_path / "run.ledger.sqlite"
    first = Ledger(path).write_run(run_info, make_decisions(100))
    once = counts(path)
    assert Ledger(path).write_run(run_info, make_decisions(100)) == first
    assert counts(path) == once
    assert (once["runs"], once["signals"], once["votes"], once["outcomes"]) == (1, 100, 300, 100)
    changed = make_decisions(100, seed=3)
    Ledger(path).write_run(replace(run_info, timeframe="4h"), changed)
    pd.testing.assert_frame_equal(Ledger(path).read_decisions(first), normalise_decisions(changed, "test"))
    assert Ledger(path).runs()["timeframe"].tolist() == ["4h"]


def test_absent_components_have_no_rows(tmp_path, make_decisions, run_info):
    frame = make_decisions(10)
    frame.loc[:6, list(vote_columns("lstm"))] = np.nan
    path = tmp_path / "x.sqlite"
    Ledger(path).write_run(run_info, frame)
    assert counts(path)["votes"] == 10 + 3 + 10
    back = Ledger(path).read_decisions()
    assert back["selector_direction"].isna().all()
    assert back["lstm_direction"].notna().sum() == 3


def test_runs_are_listed_by_start_and_the_last_is_read(tmp_path, make_decisions, run_info):
    ledger = Ledger(tmp_path / "x.sqlite")
    late = ledger.write_run(run_info, make_decisions(8))
    early = ledger.write_run(
        replace(run_info, started_at=run_info.started_at - timedelta(days=1), model=None), make_decisions(4)
    )
    runs = ledger.runs()
    assert runs["id"].tolist() == [early, late]
    assert runs["started_at"].iloc[1] == pd.Timestamp(run_info.started_at)
    assert runs["settings"].iloc[0] == {"decision": {"threshold": 0.7}}
    assert runs["model"].isna().tolist() == [True, False]
    assert len(ledger.read_decisions()) == 8
    assert len(ledger.read_decisions(early)) == 4
    with pytest.raises(CoordinatorError, match=r"'run'.*be one of \[.*99"):
        ledger.read_decisions(99)


def test_ten_thousand_signals_are_written_in_two_seconds(tmp_path, make_decisions, run_info):
    frame = make_decisions(10_000)
    begin = time.process_time()
    Ledger(tmp_path / "x.sqlite").write_run(run_info, frame)
    assert time.process_time() - begin < 2


def test_a_failing_write_leaves_the_old_run(tmp_path, make_decisions, run_info):
    path = tmp_path / "x.sqlite"
    ledger = Ledger(path)
    ledger.write_run(run_info, make_decisions(6))
    with sqlite3.connect(path) as connection:
        full = "CREATE TRIGGER full BEFORE INSERT ON outcomes BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        connection.execute(full)
    with pytest.raises(CoordinatorError, match=r"usable ledger.*disk full"):
        ledger.write_run(run_info, make_decisions(9))
    pd.testing.assert_frame_equal(ledger.read_decisions(), normalise_decisions(make_decisions(6), "test"))


def test_the_file_is_left_alone_and_ahead_logged(tmp_path, make_decisions, run_info):
    path = tmp_path / "x.sqlite"
    Ledger(path).write_run(run_info, make_decisions(2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.sqlite"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_what_is_read_in_one_transaction_is_of_one_moment(ledger_url, make_decisions, run_info):
    ledger, other = Ledger(ledger_url), Ledger(ledger_url)
    ledger.write_run(run_info, make_decisions(6))
    count = select(func.count()).select_from(schema.signals)
    with ledger.database.read() as connection:
        assert connection.execute(count).scalar() == 6
        later = replace(run_info, started_at=run_info.started_at + timedelta(hours=1))
        other.write_run(later, make_decisions(4))
        assert connection.execute(count).scalar() == 6
    with ledger.database.read() as connection:
        assert connection.execute(count).scalar() == 10


def test_a_writer_waits_for_another_one(ledger_url, make_decisions, run_info):
    Ledger(ledger_url).write_run(run_info, make_decisions(6))
    later = replace(run_info, started_at=run_info.started_at + timedelta(hours=1))
    writing = threading.Thread(target=lambda: Ledger(ledger_url).write_run(later, make_decisions(4)))
    with Ledger(ledger_url).database.write() as connection:
        connection.execute(delete(schema.signals).where(schema.signals.c.pair == "none"))
        writing.start()
        writing.join(0.3)
        connection.execute(delete(schema.signals).where(schema.signals.c.pair == "none"))
    writing.join(10)
    assert len(Ledger(ledger_url).runs()) == 2


def test_ledger_and_decision_name_the_same_components():
    assert schema.COMPONENTS == DECISION_COMPONENTS


def no_file(path):
    return "exist"


def empty_file(path):
    path.touch()
    return "be a decision ledger"


def corrupt(path):
    path.write_bytes(b"this is not a database, " * 500)
    return "be a usable ledger database"


def someone_elses(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE trades (id INTEGER)")
    return "be a decision ledger"


def other_version(path):
    Ledger(path).write_run(RunInfo("S", datetime.fromisoformat("2024-01-01T00:00:00+00:00"), "1h"), _empty())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    return f"have schema version {HEAD} or an older one"


def _empty() -> pd.DataFrame:
    names = [name for name in COLUMNS if not name.startswith(schema.COMPONENTS)]
    return pd.DataFrame({name: [] for name in names})


@pytest.mark.parametrize("make", [no_file, empty_file, corrupt, someone_elses, other_version])
def test_what_is_no_ledger_is_said_so_and_left_alone(tmp_path, make):
    path = tmp_path / "x.ledger.sqlite"
    rule = make(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(CoordinatorError, match=rule) as error:
        Ledger(path).read_decisions()
    assert str(path) in str(error.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_ledger_is_not_made_in_someone_elses_file(tmp_path, make_decisions, run_info):
    path = tmp_path / "trades.sqlite"
    someone_elses(path)
    with pytest.raises(CoordinatorError, match="be a decision ledger"):
        Ledger(path).write_run(run_info, make_decisions(2))


@pytest.mark.parametrize("url", ["nosuch://u:secret@h/db", "mysql+nodriver://u:secret@h/db", "://secret"])
def test_a_wrong_url_is_an_error_without_its_password(url):
    with pytest.raises(CoordinatorError, match="installed driver") as error:
        Ledger(url)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "secret",
    ["me:Sup3r@h/ledger", "me@h/ledger?password=Sup3r", "h/ledger?PASSWORD=Sup3r&x=1", "me:p@Sup3r/x@h/l"],
)
def test_no_password_is_in_a_ledgers_name_wherever_in_the_url_it_stands(secret):
    name = Ledger(f"postgresql+psycopg://{secret}").database.name
    assert name.startswith("postgresql+psycopg://")
    assert "Sup3r" not in name


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"time": pd.NaT}, "known for every signal"),
        ({"time": pd.Timestamp("2024-01-01")}, "UTC times"),
        ({"time": pd.Timestamp("2024-01-01T00:00:00.5Z")}, "whole seconds"),
        ({"time": pd.Timestamp("2024-01-01", tz="UTC"), "pair": "A"}, "stand once per pair"),
        ({"direction": 0}, "be -1 or 1"),
        ({"price": "much"}, "be numbers"),
        ({"accepted": 2}, "be true or false"),
        ({"horizon": 1.5}, "be whole candles"),
    ],
)
def test_a_wrong_table_is_refused(make_decisions, change, rule):
    with pytest.raises(CoordinatorError, match=rule):
        normalise_decisions(make_decisions(4).assign(**change), "the test")


def test_missing_columns_are_named(make_decisions):
    with pytest.raises(CoordinatorError, match="include price, accepted"):
        normalise_decisions(make_decisions(4).drop(columns=["price", "accepted"]), "the test")
    with pytest.raises(CoordinatorError, match="hold all of"):
        normalise_decisions(make_decisions(4).drop(columns="lstm_confidence"), "the test")


def test_a_start_without_timezone_is_refused(make_decisions):
    with pytest.raises(CoordinatorError, match="carry a timezone"):
        Ledger("sqlite://").write_run(RunInfo("S", datetime(2024, 1, 1), "1h"), make_decisions(2))


def test_a_batch_run_takes_what_became_known_later(tmp_path, make_decisions, run_info):
    """Of candles it has and of candles it has not; a second helping of other rows too."""
    ledger, hour = Ledger(tmp_path / "x.sqlite"), 1_704_067_200
    row = ImprovementRow("BTC/USDT", "dynamic_reward_risk", "on", 2.5, 3.0)
    later = ImprovementRow("BTC/USDT", "correlation_filter", "on", 2.0, 1.0)
    run = ledger.write_run(run_info, make_decisions(10), [CandleRecord(hour, improvements=(row,))])
    before = ledger.read_decisions(run)
    for moment in (hour, hour + 3600, hour + 7 * 3600):
        ledger.append_histories(run, [CandleRecord(moment, improvements=(later,))])
    assert ledger.check() == []
    assert ledger.read_decisions(run).equals(before)
    found = {record.time: record.improvements for record in ledger.replay(run) if record.improvements}
    assert found == {hour: (later, row), hour + 3600: (later,), hour + 7 * 3600: (later,)}
