"""A tiny simulated market, a config for it, and the command in processes of its own."""

import json
import os
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
