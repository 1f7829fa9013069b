"""The embedded market: simulated once per specification, then found again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from coordinator import __version__
from coordinator.adapters.configuration import read_config
from coordinator.candles.files import TradingMode
from coordinator.jobs.run_plan import parse_trading_mode
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

__all__ = ["chosen_datadir", "simulated_datadir"]


def chosen_datadir(
    datadir: Path | None, configs: Sequence[Path], trading_mode: str | None, user_data: Path, console: Console
) -> Path:
    """The candles that were named, else those of the simulated market in the trading mode that holds."""
    if datadir is not None:
        return datadir
    mode = parse_trading_mode(trading_mode or read_config(configs).get("trading_mode") or "spot")
    with console.status("Simulating the market"):
        return simulated_datadir(user_data, mode)


def simulated_datadir(user_data: Path, trading_mode: TradingMode, spec: MarketSpec | None = None) -> Path:
    """Data directory of the simulated market, written if it is not there yet.

    The folder's name holds a hash of the specification, so candles of another market are never taken for it.
    """
    spec = spec or MarketSpec()
    content = f"{__version__} {trading_mode} {sorted(asdict(spec).items())!r}"
    folder = user_data / "data" / f"simulated-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    done = folder / "complete"
    if not done.is_file():
        write_market(spec, folder, trading_mode)
        done.write_text(content, encoding="utf-8")
    return folder
