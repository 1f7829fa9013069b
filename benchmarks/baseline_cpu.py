"""CPU of a TechnicalBaseline backtest per candle beside Freqtrade's own SampleStrategy, callbacks included.

The slope between a one-year and a five-year run of eight simulated pairs leaves start-up out. Both run as real
`freqtrade backtesting` processes, taking turns, against the same sandbox exchange.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import freqtrade

from benchmarks.result import Result
from coordinator.jobs.simulated import simulated_datadir
from coordinator.sandbox.exchange import create_app, wall_clock
from coordinator.sandbox.overlay import overlay_config
from coordinator.sandbox.server import SandboxServer
from coordinator.sandbox.spec import MarketSpec

SPEC = MarketSpec(start=datetime(2018, 1, 1, tzinfo=UTC), end=datetime(2024, 1, 1, tzinfo=UTC))
SHORT, LONG = ("20230101-20240101", 365), ("20190101-20240101", 1826)
ROUNDS = 1


def run() -> list[Result]:
    datadir = simulated_datadir(Path("user_data"), "spot", SPEC)
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
        overlay = folder / "overlay.json"
        config = {
            **overlay_config(server.url),
            "freqai": {"enabled": False},
            "strategy_path": str(strategies),
            "user_data_dir": str(folder / "user_data"),
        }
        overlay.write_text(json.dumps(config))
        cpu = {}
        for _ in range(ROUNDS):
            for strategy in ("SampleStrategy", "TechnicalBaseline"):
                for timerange, days in (SHORT, LONG):
                    spent = cpu_seconds(strategy, timerange, overlay, datadir)
                    key = (strategy, days)
                    cpu[key] = min(spent, cpu.get(key, spent))
    candles = len(SPEC.pairs) * 24 * (LONG[1] - SHORT[1])
    per_candle = {
        name: (cpu[name, LONG[1]] - cpu[name, SHORT[1]]) / candles * 1e6
        for name in ("SampleStrategy", "TechnicalBaseline")
    }
    ours, reference = per_candle["TechnicalBaseline"], per_candle["SampleStrategy"]
    return [
        Result(
            "baseline_cpu_per_candle_ratio",
            ours / reference,
            "x",
            f"SampleStrategy {reference:.1f} us a candle-pair",
        ),
        Result(
            "baseline_candle_pairs_per_second", 1e6 / ours, "1/s", f"SampleStrategy {1e6 / reference:.0f}"
        ),
    ]


def cpu_seconds(strategy: str, timerange: str, overlay: Path, datadir: Path) -> float:
    """CPU seconds of a whole `freqtrade backtesting` process."""
    command = [
        sys.executable,
        "-m",
        "freqtrade",
        "backtesting",
        "--config",
        "config.json",
        "--config",
        str(overlay),
    ]
    command += [
        "--strategy",
        strategy,
        "--timeframe",
        "1h",
        "--timerange",
        timerange,
        "--datadir",
        str(datadir),
    ]
    command += ["--export", "none", "--cache", "none"]
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{strategy} {timerange} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)
