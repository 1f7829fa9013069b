"""Ledgers of every version open: old ones are upgraded with all they hold, or stay as they were."""

import json
import logging
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, event, inspect, text

from coordinator.errors import CoordinatorError
from coordinator.ledger import schema, upgrade
from coordinator.ledger.records import CandleRecord, OutcomeRow
from coordinator.ledger.store import Ledger, RunInfo

# As the code before the migrations created and filled it.
OLD = """
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE runs (id INTEGER NOT NULL, strategy VARCHAR(128) NOT NULL, started_at VARCHAR(32) NOT NULL,
  timeframe VARCHAR(8) NOT NULL, settings JSON NOT NULL, model VARCHAR(128), identifier VARCHAR(128),
  PRIMARY KEY (id), UNIQUE (strategy, started_at));
CREATE TABLE signals (run_id INTEGER NOT NULL, time BIGINT NOT NULL, pair VARCHAR(64) NOT NULL,
  direction SMALLINT NOT NULL, price DOUBLE, stop DOUBLE, target DOUBLE,
  horizon INTEGER NOT NULL, reasons TEXT NOT NULL, PRIMARY KEY (run_id, time, pair),
  FOREIGN KEY(run_id) REFERENCES runs (id));
CREATE TABLE votes (run_id INTEGER NOT NULL, time BIGINT NOT NULL, pair VARCHAR(64) NOT NULL,
  component VARCHAR(16) NOT NULL, direction SMALLINT, confidence DOUBLE, percentile DOUBLE,
  PRIMARY KEY (run_id, time, pair, component),
  FOREIGN KEY(run_id, time, pair) REFERENCES signals (run_id, time, pair),
  FOREIGN KEY(run_id) REFERENCES runs (id));
CREATE TABLE decisions (run_id INTEGER NOT NULL, time BIGINT NOT NULL, pair VARCHAR(64) NOT NULL,
  unified_score DOUBLE, unified_confidence DOUBLE, threshold DOUBLE,
  ml_weight DOUBLE, accepted BOOLEAN NOT NULL, rejection TEXT, PRIMARY KEY (run_id, time, pair),
  FOREIGN KEY(run_id, time, pair) REFERENCES signals (run_id, time, pair),
  FOREIGN KEY(run_id) REFERENCES runs (id));
CREATE TABLE outcomes (run_id INTEGER NOT NULL, time BIGINT NOT NULL, pair VARCHAR(64) NOT NULL,
  r DOUBLE, exit VARCHAR(16), time_resolved BIGINT, PRIMARY KEY (run_id, time, pair),
  FOREIGN KEY(run_id, time, pair) REFERENCES signals (run_id, time, pair),
  FOREIGN KEY(run_id) REFERENCES runs (id));
INSERT INTO schema_version VALUES (1);
INSERT INTO runs VALUES (1, 'S', '2024-05-01T12:30:15.123456+00:00', '1h', '{"a": 1}', 'LSTMClassifier', NULL);
INSERT INTO signals VALUES (1, 3600, 'BTC/USDT', 1, 100.0, 98.0, 105.0, 48, 'ema cross');
INSERT INTO signals VALUES (1, 7200, 'BTC/USDT', -1, 101.0, 103.0, 96.0, 48, 'rsi');
INSERT INTO votes VALUES (1, 3600, 'BTC/USDT', 'technical', 1, 0.9, 0.8);
INSERT INTO decisions VALUES (1, 3600, 'BTC/USDT', 0.7, 0.8, 0.7, 0.1, true, NULL);
INSERT INTO decisions VALUES (1, 7200, 'BTC/USDT', 0.2, 0.3, 0.7, 0.1, false, 'confidence below 70%');
INSERT INTO outcomes VALUES (1, 3600, 'BTC/USDT', 1.9, 'target', 10800);
INSERT INTO outcomes VALUES (1, 7200, 'BTC/USDT', NULL, NULL, NULL);
"""


def fill_old(url: str) -> None:
    engine = create_engine(url)
    script = OLD
    if engine.dialect.name == "postgresql":
        script = OLD.replace(" DOUBLE", " DOUBLE PRECISION").replace("runs (id INTEGER", "runs (id SERIAL")
        script += "SELECT setval('runs_id_seq', 1);"
    with engine.begin() as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(text(statement))
    engine.dispose()


def test_a_ledger_from_before_the_migrations_is_upgraded_with_all_it_holds(ledger_url):
    fill_old(ledger_url)
    ledger = Ledger(ledger_url)
    frame = ledger.read_decisions()  # any use will do
    assert frame["price"].tolist() == [100.0, 101.0]
    assert frame["outcome_r"].iloc[0] == 1.9
    assert frame["outcome_time"].isna().tolist() == [False, True]
    assert frame["rejection"].tolist() == ["", "confidence below 70%"]
    runs = ledger.runs()
    assert runs[["strategy", "kind", "bot"]].to_numpy().tolist() == [["S", "batch", ""]]
    assert runs["settings"].iloc[0] == {"a": 1}
    expected = [[], [], [OutcomeRow(3600, "BTC/USDT", 1.9, "target", 10800)]]
    assert [list(record.outcomes) for record in ledger.replay(1)] == expected
    assert ledger.check() == []
    # It works on like a new one.
    started = datetime(2025, 1, 1, tzinfo=UTC)
    run = ledger.open_run(RunInfo("T", started, "1h"))
    ledger.write_candle(run, CandleRecord(3600))
    assert ledger.check() == []


def test_signal_qualities_become_votes(ledger_url):
    """A ledger of version 4 has the percentile beside the decision."""
    fill_old(ledger_url)
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        upgrade.upgrade_schema(connection, "the test", to="0004")
        connection.execute(text("UPDATE decisions SET quality = 0.8 WHERE time = 7200"))
    engine.dispose()
    ledger = Ledger(ledger_url)
    ledger.upgrade()
    frame = ledger.read_decisions()
    assert frame["quality_percentile"].tolist()[1] == 0.8
    assert frame["quality_direction"].tolist()[1] == -1
    assert frame["quality_percentile"].isna().tolist() == [True, False]
    assert ledger.check() == []


def test_migrations_and_tables_agree(ledger_url):
    """Nothing is left to generate between what the migrations build and what the code says."""
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        upgrade.upgrade_schema(connection, "the test", to="0001")
        upgrade.upgrade_schema(connection, "the test")
        assert upgrade.schema_version(connection, "the test") == upgrade.HEAD
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
        columns = {
            table: sorted(column["name"] for column in inspect(connection).get_columns(table))
            for table in schema.metadata.tables
        }
    engine.dispose()
    assert [change for change in differences if "alembic_version" not in repr(change)] == []
    assert columns == {name: sorted(table.c.keys()) for name, table in schema.metadata.tables.items()}


def test_old_and_new_ledgers_end_up_the_same(tmp_path):
    fill_old(f"sqlite:///{tmp_path / 'old.sqlite'}")
    Ledger(tmp_path / "old.sqlite").upgrade()
    Ledger(tmp_path / "new.sqlite").upgrade()  # has all its tables at once, the columns in another order

    def rows(connection, kind, name, of):
        found = connection.execute(f"SELECT * FROM pragma_{kind}('{name}')").fetchall()
        return sorted((row[of:] for row in found), key=repr)

    def tables(name):
        with sqlite3.connect(tmp_path / name) as connection:
            names = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
            return {
                n: [
                    rows(connection, kind, n, of)
                    for kind, of in (("table_info", 1), ("index_list", 1), ("foreign_key_list", 1))
                ]
                for (n,) in names
            }

    assert tables("old.sqlite") == tables("new.sqlite")


def test_a_new_ledger_is_made_without_a_word_of_alembic(ledger_url, caplog):
    """Its notes would stand in a bot's log."""
    logging.getLogger("alembic").setLevel(logging.NOTSET)
    with caplog.at_level(logging.INFO):
        Ledger(ledger_url).upgrade()
    assert not [record for record in caplog.records if record.name.startswith("alembic")]


def test_nor_does_alembic_say_a_word_where_it_is_imported(tmp_path):
    code = "import logging, sys; logging.basicConfig(level=logging.INFO)\n"
    code += "from coordinator.ledger.store import Ledger; Ledger(sys.argv[1]).upgrade()\n"
    code += "assert 'alembic.autogenerate' in sys.modules; logging.info('done')"
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path}/new.sqlite"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "INFO:root:done" in done.stderr
    assert "alembic" not in done.stderr


def test_the_versions_are_the_migrations():
    files = sorted((Path(upgrade.__file__).parent / "migrations" / "versions").glob("0*.py"))
    assert tuple(path.name[:4] for path in files) == upgrade.VERSIONS


def test_a_newer_ledger_is_refused_and_left_alone(ledger_url):
    ledger = Ledger(ledger_url)
    ledger.upgrade()
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    for use in (Ledger(ledger_url).runs, Ledger(ledger_url).upgrade, Ledger(ledger_url).check):
        with pytest.raises(
            CoordinatorError, match=rf"{upgrade.HEAD} or an older one; a newer version.*Got '0099'"
        ):
            use()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0099"
    engine.dispose()


@pytest.mark.parametrize("fails_at", ["candles", "learner_snapshots", "ml_predictions"])
@pytest.mark.parametrize("old", [True, False])
def test_a_crash_while_upgrading_leaves_the_old_schema(ledger_url, fails_at, old):
    """DDL is part of the transaction in both databases: with the last table missing, nothing at all has happened."""
    if old:
        fill_old(ledger_url)

    def failing(connection, cursor, statement, *_):
        if f"CREATE TABLE {fails_at} " in statement:
            raise KeyboardInterrupt  # nobody's error: what pressing Ctrl-C would raise

    def tables():
        engine = create_engine(ledger_url)
        found = set(inspect(engine).get_table_names())
        engine.dispose()
        return found

    before = tables()
    event.listen(Engine, "before_cursor_execute", failing)
    try:
        with pytest.raises(KeyboardInterrupt):
            Ledger(ledger_url).upgrade()
    finally:
        event.remove(Engine, "before_cursor_execute", failing)
    assert tables() == before == ({"schema_version", *FIRST} if old else set())
    ledger = Ledger(ledger_url)
    ledger.upgrade()
    assert ledger.check() == []
    assert len(ledger.runs()) == old


FIRST = {"runs", "signals", "votes", "decisions", "outcomes"}


def test_a_server_that_holds_others_tables_gets_none_of_ours_changed(ledger_url):
    """On a server a ledger may live beside others' tables, but never where a name is taken."""
    engine = create_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE trades (id INTEGER)"))
    with pytest.raises(CoordinatorError, match="be a decision ledger"):
        Ledger(ledger_url).upgrade()
    assert inspect(engine).get_table_names() == ["trades"]
    engine.dispose()


def test_moments_and_json_are_stored_readably(tmp_path):
    """What other programs find in the file: UTC text, and JSON."""
    ledger = Ledger(tmp_path / "x.sqlite")
    run = ledger.open_run(RunInfo("S", datetime(2024, 1, 1, tzinfo=UTC), "1h", {"a": [1, 2.5]}))
    ledger.close_run(run, pd.Timestamp("2024-01-02 01:00", tz="Europe/Berlin").to_pydatetime())
    with sqlite3.connect(tmp_path / "x.sqlite") as connection:
        closed, settings = connection.execute("SELECT closed_at, settings FROM runs").fetchone()
    assert closed == "2024-01-02 00:00:00.000000"
    assert json.loads(settings) == {"a": [1, 2.5]}
