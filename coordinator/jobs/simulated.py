"""The embedded market: simulated once per specification, then found again."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from coordinator import __version__
from coordinator.candles.files import TradingMode
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

__all__ = ["simulated_datadir"]


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
