"""A tiny simulated market, a config for it, and the command in processes of its own."""

import json
import os
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def tiny_market(tmp_path_factory):
    """Two pairs over eight months."""
    folder = tmp_path_factory.mktemp("tiny")
    spec = MarketSpec(
        pairs=("BTC/USDT", "ETH/USDT"),
        start=datetime(2022, 6, 1, tzinfo=UTC),
        end=datetime(2023, 2, 1, tzinfo=UTC),
        seed=11,
    )
    write_market(spec, folder, "spot")
    return folder


@pytest.fixture(scope="session")
def config_file(tmp_path_factory):
    """The shipped config without the regime gate, whose average of 100 days leaves little to trade on here."""
    config = json.loads((ROOT / "config.json").read_text())
    config |= {
        name: str(ROOT / config[name]) for name in ("strategy_path", "freqaimodel_path", "hyperopt_path")
    }
    config["coordinator"]["regime"]["gate"] = "off"
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture(scope="session")
def start_command(warm_python, tiny_market, config_file):
    """Starts `coordinator optimize` on the tiny market."""

    def start(user_data, *arguments):
        command = [warm_python, "-m", "coordinator", "optimize", "--config", str(config_file)]
        command += ["--datadir", str(tiny_market), "--user-data", str(user_data), *arguments]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


class MadeUpSearch:
    """`made_up.py` in a process of its own, which is known by its number: a kill is a kill of it."""

    def __init__(self, python, place, trials):
        self.process = subprocess.Popen(
            [python, "-m", "tests.optimize.made_up", str(place), str(trials)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self):
        word, _, self.pid = self.process.stdout.readline().partition(" ")
        assert word == "ready", self.process.stderr.read()

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def kill(self):
        """Whether it was alive."""
        alive = self.process.poll() is None
        if alive:
            os.kill(int(self.pid), signal.SIGKILL)
        self.process.communicate()
        return alive

    def end(self):
        out, error = self.process.communicate(timeout=60)
        assert out.endswith("done\n"), error


@pytest.fixture
def start_made_up(warm_python):
    """Starts as many made-up searches as places are given, and lets them go as soon as all are ready."""
    started = []

    def start(*places, trials):
        searches = [MadeUpSearch(warm_python, place, trials) for place in places]
        started.extend(searches)
        for search in searches:
            search.wait_until_ready()
        for search in searches:
            search.go()
        return searches

    yield start
    for search in started:
        search.process.kill()
        search.process.communicate()
