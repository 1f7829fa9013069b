"""The integrity check finds what is broken, and the command says so."""

import sqlite3
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from coordinator.errors import CoordinatorError
from coordinator.ledger.commands import ledger_app
from coordinator.ledger.records import CandleRecord, SignalRow, VoteRow
from coordinator.ledger.store import Ledger, RunInfo
from coordinator.ledger.upgrade import HEAD

SIGNAL = SignalRow(
    "BTC/USDT",
    1,
    100.0,
    98.0,
    105.0,
    48,
    "x",
    0.7,
    0.8,
    0.7,
    0.1,
    True,
    "",
    votes=(VoteRow("technical", 1, 0.9, 0.8),),
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.ledger.sqlite"
    ledger = Ledger(path)
    run = ledger.open_run(RunInfo("S", datetime(2024, 1, 1, tzinfo=UTC), "1h"))
    for i in range(1, 30):
        ledger.write_candle(run, CandleRecord(3600 * i, (SIGNAL,)))
    return path


def run(*arguments: object):
    return CliRunner().invoke(ledger_app, [str(argument) for argument in arguments])


def test_a_sound_ledger(path):
    result = run("check", "--ledger", path)
    assert (result.exit_code, result.output) == (0, f"{path} is sound\n")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("DELETE FROM decisions WHERE time = 3600", "1 signals have no row in decisions"),
        ("DELETE FROM outcomes WHERE time <= 7200", "2 signals have no row in outcomes"),
        ("DELETE FROM candles WHERE time = 3600", "1 signals of live runs have no candle"),
        ("UPDATE outcomes SET r = 1.0 WHERE time = 3600", "1 outcomes are resolved in part"),
        ("UPDATE votes SET pair = 'X' WHERE time = 3600", "1 rows of votes have no row in signals"),
        ("DELETE FROM runs", "29 rows of signals have no row in runs"),
    ],
)
def test_what_is_missing_is_found(path, damage, problem):
    with sqlite3.connect(path) as connection:
        connection.execute(damage)
    assert problem in Ledger(path).check()
    result = run("check", "--ledger", path)
    assert isinstance(result.exception, CoordinatorError)
    assert problem in result.output


def test_a_damaged_file_is_found(path):
    """The first and last pages stay: SQLite opens the file, and only reading all of it shows the damage."""
    content = bytearray(path.read_bytes())
    content[-5 * 4096 : -4096] = b"\xff" * (4 * 4096)
    path.write_bytes(content)
    try:
        found = Ledger(path).check()
    except CoordinatorError as error:
        found = [str(error)]
    assert found
    assert run("check", "--ledger", path).exit_code != 0


def test_upgrade_creates_and_repeats(tmp_path):
    path = tmp_path / "new.ledger.sqlite"
    for _ in range(2):
        result = run("upgrade", "--ledger", path)
        assert (result.exit_code, result.output) == (0, f"{path} has schema version {HEAD}\n")
    assert len(Ledger(path).runs()) == 0
