"""Forty pairs with five slots beside eight: seconds and memory of a backtest for each pair, with ML and without.

Each backtest is a Freqtrade process of its own, over a simulated market of half a year and its training.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.result import Result
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

__all__ = ["run"]

ROOT = Path(__file__).parents[1]
PAIRS = ("BTC/USDT", "ETH/USDT", *(f"C{number:02d}/USDT" for number in range(38)))
SLOTS = {"max_open_trades": 5, "coordinator": {"portfolio": {"max_positions": 5}}}
TIMERANGE = "20230101-20230701"


def run() -> list[Result]:
    """Both strategies on eight pairs and on forty."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        span = datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 7, 2, tzinfo=UTC)
        write_market(MarketSpec(pairs=PAIRS, start=span[0], end=span[1], seed=1), folder / "data", "spot")
        (folder / "slots.json").write_text(json.dumps(SLOTS))
        for strategy in ("TechnicalBaseline", "MLCoordinator"):
            few, many = (_backtest(folder, strategy, PAIRS[:count]) for count in (8, 40))
            for what, unit, place in (("seconds", "s a pair", 0), ("memory", "MiB a pair", 1)):
                reference = f"{few[place] / 8:.3g} with eight pairs, {many[place]:.4g} in all"
                results.append(Result(f"many_pairs_{strategy}_{what}", many[place] / 40, unit, reference))
    return results


def _backtest(folder: Path, strategy: str, pairs: tuple[str, ...]) -> tuple[float, float]:
    """Seconds of a backtest, and the peak MiB of its largest process, which is Freqtrade's."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "coordinator", "sandbox", "run", "--datadir", str(folder / "data"), "--"]
    overlay = folder / "pairs.json"
    overlay.write_text(json.dumps({"exchange": {"pair_whitelist": list(pairs)}}))
    configs = (ROOT / "config.json", folder / "slots.json", overlay)
    command += ["freqtrade", "backtesting", *(word for path in configs for word in ("-c", str(path)))]
    command += ["--userdir", str(folder / f"{strategy}-{len(pairs)}"), "--datadir", str(folder / "data")]
    command += ["--strategy", strategy, "--timerange", TIMERANGE, "--cache", "none"]
    (folder / f"{strategy}-{len(pairs)}").mkdir()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"the backtest of {strategy} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - begun, used.ru_maxrss / 1024
