"""Two bots on one ledger: each writes a run of its own, and no run is written by two processes."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from freqtrade.persistence import Trade, init_db
from freqtrade.persistence.usedb_context import enable_database_use

from coordinator.adapters.persistence.bot_identity import bot_identity
from coordinator.errors import CoordinatorError
from coordinator.ledger.store import Ledger, RunInfo

INFO = RunInfo("S", datetime(2024, 1, 1, tzinfo=UTC), "1h", bot="held")
HOLDER = """
import sys
from coordinator.ledger.store import Ledger
Ledger(sys.argv[1]).hold_run(int(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held_elsewhere(ledger_url):
    """A run, and the process that holds it."""
    run = Ledger(ledger_url).open_run(INFO)
    command = [sys.executable, "-c", HOLDER, ledger_url, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        yield run, holder
        holder.kill()


def test_a_run_that_another_process_holds_is_refused_until_it_is_killed(ledger_url, held_elsewhere):
    run, holder = held_elsewhere
    with pytest.raises(CoordinatorError, match=f"run {run}, which a running bot holds") as refusal:
        Ledger(ledger_url).hold_run(run)
    assert "bot_name or a db_url of their own" in str(refusal.value)
    other = Ledger(ledger_url).open_run(RunInfo("T", datetime(2024, 1, 2, tzinfo=UTC), "1h", bot="other"))
    Ledger(ledger_url).hold_run(other)
    holder.kill()
    holder.wait()
    Ledger(ledger_url).hold_run(run)


def test_a_bot_that_reloads_its_config_keeps_its_run(ledger_url):
    run = Ledger(ledger_url).open_run(INFO)
    for _ in range(2):
        Ledger(ledger_url).hold_run(run)


def test_two_bots_of_one_name_differ_by_their_database(tmp_path):
    enable_database_use()
    names = []
    for file in ("one.sqlite", "two.sqlite", "moved"):
        if file == "moved":
            shutil.copytree(tmp_path, moved := tmp_path / "elsewhere")
            file = f"{moved.name}/one.sqlite"
        url = f"sqlite:///{tmp_path / file}"
        init_db(url)
        config = {"bot_name": "freqtrade", "runmode": "dry_run", "db_url": url}
        names.append(bot_identity(config))
        assert bot_identity(config) == names[-1]
        Trade.session.remove()
    assert names[0] != names[1]
    assert names[0] == names[2]
    in_memory = {"bot_name": "demo", "runmode": "dry_run", "db_url": "sqlite://"}
    init_db("sqlite://")
    assert bot_identity(in_memory) == "demo dry_run"
