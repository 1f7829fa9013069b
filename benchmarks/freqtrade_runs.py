"""Real `freqtrade` processes over a simulated market, and the CPU they take."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import freqtrade

from coordinator.jobs.simulated import simulated_datadir
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec

SPEC = MarketSpec(start=datetime(2018, 1, 1, tzinfo=UTC), end=datetime(2024, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Bench:
    """A place to run freqtrade in: our strategies and Freqtrade's SampleStrategy, one market, one user_data."""

    overlay: Path
    datadir: Path

    def cpu_seconds(self, command: str, strategy: str, timerange: str, *arguments: str) -> float:
        """CPU of one process; SystemExit with its words if it fails."""
        line = [
            sys.executable,
            "-m",
            "freqtrade",
            command,
            "--config",
            "config.json",
            "--config",
            str(self.overlay),
        ]
        line += ["--strategy", strategy, "--timeframe", "1h", "--timerange", timerange]
        line += ["--datadir", str(self.datadir), *arguments]
        before = os.times()
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{strategy} {timerange} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        after = os.times()
        return (after.children_user - before.children_user) + (after.children_system - before.children_system)


@contextmanager
def bench(changes: dict[str, Any], pairs: Sequence[str] = (), spec: MarketSpec = SPEC) -> Iterator[Bench]:
    """Serve the market while the block runs; ``changes`` go over config.json."""
    datadir = simulated_datadir(Path("user_data"), "spot", spec)
    with (
        SandboxServer(create_app(datadir, wall_clock), "127.0.0.1", 0) as server,
        tempfile.TemporaryDirectory() as tmp,
    ):
        folder = Path(tmp)
        strategies = folder / "strategies"
        strategies.mkdir()
        (folder / "user_data").mkdir()
        template = Path(freqtrade.__file__).parent / "templates" / "sample_strategy.py"
        shutil.copy(template, strategies / "SampleStrategy.py")
        for path in Path("strategies").glob("*.py"):
            shutil.copy(path, strategies)
        overlay = overlay_config(server.url)
        if pairs:
            overlay["exchange"]["pair_whitelist"] = list(pairs)
        paths = {"strategy_path": str(strategies), "user_data_dir": str(folder / "user_data")}
        (folder / "overlay.json").write_text(json.dumps({**overlay, **paths, **changes}))
        yield Bench(folder / "overlay.json", datadir)
