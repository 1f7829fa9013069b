"""Exports and the command line."""

import os
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from coordinator.errors import CoordinatorError
from coordinator.ledger.commands import ledger_app
from coordinator.ledger.export import find_run, newest_ledger
from coordinator.ledger.frame import COLUMNS
from coordinator.ledger.store import Ledger


def run(*arguments: object):
    return CliRunner().invoke(ledger_app, [str(argument) for argument in arguments])


def test_export_writes_the_newest_ledgers_last_run(tmp_path, make_decisions, run_info):
    for age, n in ((10, 5), (20, 9)):
        path = tmp_path / f"S-{n}.ledger.sqlite"
        Ledger(path).write_run(run_info, make_decisions(n))
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    output = tmp_path / "decisions.parquet"
    result = run("export", "--results", tmp_path, "--output", output)
    assert result.exit_code == 0
    assert result.stdout == f"5 decisions written to {output}\n"
    file = pq.ParquetFile(output)
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert tuple(file.schema_arrow.names) == COLUMNS
    expected = Ledger(tmp_path / "S-5.ledger.sqlite").read_decisions()
    pd.testing.assert_frame_equal(pd.read_parquet(output), expected)


def test_export_of_a_chosen_run(tmp_path, make_decisions, run_info):
    path = tmp_path / "x.sqlite"
    first = Ledger(path).write_run(run_info, make_decisions(5))
    later = replace(run_info, started_at=run_info.started_at + timedelta(hours=1))
    Ledger(path).write_run(later, make_decisions(7))
    output = tmp_path / "out.parquet"
    assert run("export", "--ledger", f"sqlite:///{path}", "--run", first, "-o", output).exit_code == 0
    assert len(pd.read_parquet(output)) == 5


def test_runs_are_listed(tmp_path, make_decisions, run_info):
    path = tmp_path / "x.sqlite"
    Ledger(path).write_run(replace(run_info, model=None, identifier=None), make_decisions(5))
    result = run("runs", "--ledger", path)
    assert result.exit_code == 0
    assert "MLCoordinator" in result.output
    assert "–" in result.output


@pytest.mark.parametrize("command", [("runs",), ("export", "-o", "unused.parquet")])
def test_a_missing_ledger_is_one_error(tmp_path, command):
    assert isinstance(run(*command, "--ledger", tmp_path / "no.sqlite").exception, CoordinatorError)
    error = run(*command, "--results", tmp_path).exception
    assert isinstance(error, CoordinatorError)
    assert str(tmp_path) in str(error)


def test_an_unwritable_output_is_one_error(tmp_path, make_decisions, run_info):
    path = tmp_path / "x.sqlite"
    Ledger(path).write_run(run_info, make_decisions(5))
    error = run("export", "--ledger", path, "-o", tmp_path / "no" / "folder.parquet").exception
    assert isinstance(error, CoordinatorError)


def test_a_backtests_ledger_is_found_by_its_time(tmp_path, make_decisions, run_info):
    start, minute = run_info.started_at, timedelta(minutes=1)
    for i, n in enumerate((3, 4, 5)):
        path = tmp_path / f"any-name-{i}.ledger.sqlite"
        Ledger(path).write_run(replace(run_info, started_at=start + i * 10 * minute), make_decisions(n))
    (tmp_path / "broken.ledger.sqlite").write_text("broken")
    middle = start + 10 * minute
    found = find_run(tmp_path, "MLCoordinator", middle - minute, middle + minute)
    assert found is not None
    assert len(found[0].read_decisions(found[1])) == 4
    ledger, run_id = find_run(tmp_path, "MLCoordinator", start, middle)
    assert len(ledger.read_decisions(run_id)) == 4
    assert find_run(tmp_path, "MLCoordinator", middle + minute, middle + 2 * minute) is None
    assert find_run(tmp_path, "TechnicalBaseline", start, middle) is None


def test_a_folder_without_ledgers_is_named(tmp_path):
    with pytest.raises(CoordinatorError, match=r"hold a \*\.ledger\.sqlite file"):
        newest_ledger(tmp_path)
