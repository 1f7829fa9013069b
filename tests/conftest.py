"""Fixtures that several houses' tests share."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import settings

from coordinator.signals.candles import Candles

ROOT = Path(__file__).resolve().parent.parent
MARKET_DATA = ROOT.parent / "shared" / "market-data"

# A shell's background job ignores Ctrl-C, one under nohup SIGHUP, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# No test fails for being slow: a busy machine says nothing about the code.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

WARM = "COORDINATOR_TESTS_WARM_PYTHON"
LONG = (
    "e2e",
    "evaluation",
    "optimize",
    "live",
    "operation",
    "frequi",
    "parity",
    "jobs",
    "scenarios",
    "ledger",
)


def pytest_configure(config: pytest.Config) -> None:
    """All workers of a run share the processes of one warm Python, which gets ready while they collect."""
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="warm-python-"))
        os.environ[WARM] = f"{os.getpid()}:{folder}"
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        if config.getoption("numprocesses", None):
            start_warm_python()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay on one worker, which makes its fixtures once; rooms with long tests come first."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name} {item.path.stem}"))
    long = {name: -i for i, name in enumerate(reversed(LONG), start=1)}
    items.sort(key=lambda item: long.get(item.path.parent.name, 0))


@pytest.fixture(scope="session")
def warm_python() -> str:
    """In ``sys.executable``'s place: starts commands of Freqtrade and ours without importing all anew (Linux)."""
    return start_warm_python()


@pytest.fixture
def warm_commands(warm_python, monkeypatch):
    """What our code starts by ``sys.executable`` comes from the warm Python."""
    monkeypatch.setattr(sys, "executable", warm_python)


def start_warm_python() -> str:
    if sys.platform != "linux":
        return sys.executable
    owner, _, name = os.environ[WARM].partition(":")
    folder, client = Path(name), Path(name) / "python"
    with FileLock(folder / "lock"):
        if not client.exists():
            sources = Path(__file__).parent / "warm_python"
            (folder / "executable").write_text(sys.executable)
            for program in ("coordinator", "freqtrade"):  # beside Python, as in a virtual environment
                (folder / program).write_text(f'#!/bin/sh\nexec {client} -m {program} "$@"\n')
                (folder / program).chmod(0o755)
            command = [sys.executable, sources / "server.py", folder, owner]
            subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
            client.write_text(f"#!{sys.executable} -ISE\n{(sources / 'client.py').read_text()}")
            client.chmod(0o755)
    return str(client)


def random_walk(seed: int, n: int, start: str = "2023-01-01", hours: int = 1) -> pd.DataFrame:
    """Hourly candles of a random walk with changing volatility; enough for everything but realism."""
    rng = np.random.default_rng(seed)
    volatility = 0.008 * np.exp(np.cumsum(rng.normal(0, 0.02, n)) * 0.2)
    close = 100 * np.exp(np.cumsum(rng.standard_t(4, n) * volatility))
    opened = np.concatenate(([100.0], close[:-1]))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 0.003, n)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 0.003, n)))
    volume = rng.lognormal(3, 0.5, n) * (1 + 50 * np.abs(np.log(close / opened)))
    date = pd.date_range(start, periods=n, freq=f"{hours}h", tz="UTC")
    return pd.DataFrame(
        {"date": date, "open": opened, "high": high, "low": low, "close": close, "volume": volume}
    )


def resample(frame: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """Candles of a higher timeframe, labelled by their open, whole ones and the last part."""
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    rule = {"1d": "24h"}.get(timeframe, timeframe)
    return (
        frame.set_index("date").resample(rule, label="left", closed="left").agg(rules).dropna().reset_index()
    )


@pytest.fixture(scope="session")
def walk() -> pd.DataFrame:
    return random_walk(7, 3000)


@pytest.fixture(scope="session")
def candles(walk) -> Candles:
    return Candles.from_frame(walk, "1h")


@pytest.fixture(scope="session")
def make_walk():
    return random_walk


@pytest.fixture(scope="session")
def make_higher():
    return resample


@pytest.fixture(scope="session")
def market_data() -> Path:
    if not MARKET_DATA.is_dir():
        pytest.skip(f"real candles are not at {MARKET_DATA}")
    return MARKET_DATA


def pytest_collection_finish() -> None:
    """No collection of garbage is to go through what was imported."""
    gc.collect()
    gc.freeze()
