"""A simulated market and the shipped config with changes, in a folder of a benchmark's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from coordinator.candles.files import TradingMode
from coordinator.jobs.run_plan import RunPlan, plan_run
from coordinator.sandbox.market_files import write_market
from coordinator.sandbox.spec import MarketSpec

__all__ = ["make_plan"]

ROOT: Final = Path(__file__).resolve().parent.parent.parent


def make_plan(
    folder: Path,
    market: MarketSpec,
    timerange: str,
    coordinator: Mapping[str, Any],
    trading_mode: TradingMode = "spot",
    **sections: Mapping[str, Any],
) -> RunPlan:
    """What a bot trades on; the candles are written if they are not there.

    Parameters
    ----------
    coordinator : in place of the shipped section
    sections : over the shipped ones, e.g. freqai and exchange
    """
    datadir = folder / "market"
    if not datadir.exists():
        write_market(market, datadir, trading_mode)
    config = json.loads((ROOT / "config.json").read_text())
    for name in ("strategy_path", "freqaimodel_path", "hyperopt_path"):
        config[name] = str(ROOT / config[name])
    for name, changes in sections.items():
        config[name] |= changes
    pairs = [f"{pair}:USDT" if trading_mode == "futures" else pair for pair in market.pairs]
    config |= {"coordinator": dict(coordinator), "trading_mode": trading_mode}
    config["exchange"]["pair_whitelist"] = pairs
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return plan_run(path, datadir, pairs, timerange, trading_mode, trains=config["freqai"]["enabled"])
