"""`coordinator optimize` killed with kill -9 fifty times at random moments of its search, and then let go on.

The real command on a small simulated market. In the end the study must have exactly its trials, each failed one with
all its parameters exactly one successor, no parameters twice, and the trials finished before a kill as they were.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from benchmarks.result import Result
from coordinator.jobs.optimize.storage import open_storage
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

KILLS, TRIALS = 50, 100
TRIED = (TrialState.COMPLETE, TrialState.PRUNED)
SPEC = MarketSpec(
    pairs=("BTC/USDT",), start=datetime(2022, 6, 1, tzinfo=UTC), end=datetime(2023, 1, 1, tzinfo=UTC), seed=11
)


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "coordinator", "optimize", "--datadir", str(folder / "market")]
    command += ["--user-data", str(folder), "--study", "kills", "--quick", "--workers", "1"]
    return subprocess.Popen(
        [*command, "--trials", str(TRIALS)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def trials(journal: Path) -> list[FrozenTrial]:
    return optuna.load_study(study_name="kills", storage=open_storage(None, journal)).trials


def kill_often(folder: Path, journal: Path) -> tuple[int, int]:
    """How often the search was killed, and how many trials were running then."""
    rng, running, killed = random.Random(0), 0, 0
    for _ in range(KILLS):
        size = journal.stat().st_size if journal.exists() else 0
        child = start(folder)
        while child.poll() is None and not (journal.exists() and journal.stat().st_size > size + 2000):
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 1.0))
        killed += child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        now = trials(journal)  # readable, whatever was half written
        running += any(trial.state == TrialState.RUNNING for trial in now)
    return killed, running


def run() -> list[Result]:
    """Kill, go on, and check."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_market(SPEC, folder / "market", "spot")
        journal = folder / "optimize" / "kills.journal"
        killed, running = kill_often(folder, journal)
        before = {t.number: t.value for t in trials(journal) if t.state in TRIED}
        assert start(folder).wait() == 0
        after = trials(journal)
    tried = [trial for trial in after if trial.state in TRIED]
    lost = [t for t in after if t.state == TrialState.FAIL and len(t.params) == 7]
    again = [t.user_attrs["retry_of"] for t in after if "retry_of" in t.user_attrs]
    doubled = len(tried) - len({tuple(sorted(trial.params.items())) for trial in tried})
    assert {number: after[number].value for number in before} == before
    assert sorted(again) == sorted(trial.number for trial in lost)
    reference = f"of {TRIALS} wanted, on {os.cpu_count()} CPUs"
    return [
        Result("optimize_kills.killed", killed, "times", f"{running} times within a trial"),
        Result("optimize_kills.tried", len(tried), "trials", reference),
        Result("optimize_kills.run_again", len(again), "trials", "with the parameters they had"),
        Result("optimize_kills.doubled", doubled, "trials", "must be 0"),
    ]
