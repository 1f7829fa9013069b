"""A small simulated market, the sandbox exchange over it, and real Freqtrade processes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec

TIMERANGE = "20230401-20230601"


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def datadir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pairs over 13 months, spot and futures."""
    folder = tmp_path_factory.mktemp("candles")
    spec = MarketSpec(
        pairs=("BTC/USDT", "ETH/USDT", "SOL/USDT"),
        start=datetime(2022, 6, 1, tzinfo=UTC),
        end=datetime(2023, 7, 1, tzinfo=UTC),
        seed=11,
    )
    for mode in ("spot", "futures"):
        write_market(spec, folder, mode)
    return folder


@pytest.fixture(scope="session")
def quick_config(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped config with the documented settings, short training windows and few epochs."""
    config = json.loads((root / "config.json").read_text())
    config["strategy_path"] = str(root / "strategies")
    config["freqaimodel_path"] = str(root / "freqai_models")
    config["hyperopt_path"] = str(root / "hyperopts")
    config["freqai"] |= {"train_period_days": 60, "backtest_period_days": 30}
    config["coordinator"] = {
        "learning": {"epochs": 2},
        "selector_policy": {"timesteps": 2048, "rollout": 512},
        "decision": {"weighting": "fixed", "require_positive_expectancy": False},
    }
    config["user_data_dir"] = str(tmp_path_factory.mktemp("user_data"))
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(config))
    return path


@dataclass
class Freqtrade:
    """Runs freqtrade commands against the sandbox."""

    python: str
    config: Path
    overlay: dict[str, Any]
    datadir: Path

    def __call__(
        self,
        *arguments: str,
        user_data: Path,
        changes: dict[str, Any] | None = None,
        check: bool = True,
        module: str = "freqtrade",
    ) -> subprocess.CompletedProcess[str]:
        overlay = user_data / "overlay.json"
        overlay.write_text(json.dumps({**self.overlay, **(changes or {})}))
        command = [self.python, "-m", module, *arguments, "--config", str(self.config)]
        command += ["--config", str(overlay), "--datadir", str(self.datadir), "--userdir", str(user_data)]
        environment = {**os.environ, "COLUMNS": "240"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)
        if check:
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done


@pytest.fixture(scope="session")
def freqtrade(
    warm_python: str, quick_config: Path, datadir: Path
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    with SandboxServer(create_app(datadir, wall_clock), "127.0.0.1", 0) as server:
        overlay = overlay_config(server.url)
        overlay["exchange"]["pair_whitelist"] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
        yield Freqtrade(warm_python, quick_config, overlay, datadir)


@pytest.fixture(scope="session")
def timerange() -> str:
    return TIMERANGE


@pytest.fixture(scope="session")
def spot_result(freqtrade, timerange, tmp_path_factory):
    """A TechnicalBaseline backtest in spot: (output, user_data)."""
    user_data = tmp_path_factory.mktemp("spot")
    changes = {"freqai": {"enabled": False}}
    done = freqtrade(
        "backtesting",
        "--strategy",
        "TechnicalBaseline",
        "--timerange",
        timerange,
        "--cache",
        "none",
        user_data=user_data,
        changes=changes,
    )
    return done.stdout + done.stderr, user_data
