"""What a worker process runs: Freqtrade backtests of one market, one after the other (``jobs.cluster``)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock

from coordinator.candles.files import TradingMode, read_candles
from coordinator.jobs.run_plan import RunPlan
from coordinator.settings import run_settings

__all__ = ["Market", "backtest_in_process", "market_candles", "market_config"]

PATHS = ("strategy_path", "freqaimodel_path", "hyperopt_path")


@dataclass(frozen=True)
class Market:
    """What many backtests share; a worker builds its Freqtrade once for it.

    Attributes
    ----------
    key : hash of all below, and how a worker recognises it
    config : Freqtrade's, paths absolute
    strategy : class name
    datadir, user_data : Path
        On the worker's machine.
    pairs, trading_mode : what is traded
    """

    key: str
    config: Mapping[str, Any] = field(hash=False, compare=False)
    strategy: str
    datadir: Path
    user_data: Path
    pairs: tuple[str, ...]
    trading_mode: TradingMode


def market_config(plan: RunPlan, strategy: str, *, trains: bool) -> dict[str, Any]:
    """Freqtrade's config of a plan's backtests, paths absolute; FreqAI is on where models train."""
    config = {**plan.config, **plan.overlay}
    config["exchange"] = {**(plan.config.get("exchange") or {}), **plan.overlay["exchange"]}
    # "coordinator backtest" names its predictions so; here each run has its own.
    config.pop("freqai", None)
    freqai = plan.config.get("freqai")
    if freqai:
        config["freqai"] = {**freqai, "enabled": bool(freqai.get("enabled")) and trains}
    config |= {name: str(Path(config[name]).resolve()) for name in PATHS if config.get(name)}
    config["strategy"] = strategy
    return config


def backtest_in_process(
    market: Market, start: datetime, end: datetime, changes: Mapping[str, Any], identifier: str | None
) -> Any:
    """Run a backtest in this process.

    Parameters
    ----------
    start, end : midnights UTC, end excluded
    changes : config over the market's, top-level keys whole
    identifier : FreqAI's, which names what predictions depend on; None without FreqAI

    Returns
    -------
    coordinator.adapters.backtesting.backtester.InProcessRun

    Raises
    ------
    BacktestFailedError
        (``coordinator.adapters.backtesting``) with Freqtrade's words.
    """
    lock: Any = nullcontext()
    if identifier is not None:
        changes = {**changes, "freqai": {**market.config["freqai"], "identifier": identifier}}
        # Two workers must not train and store the same predictions at once.
        folder = market.user_data / "models"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{identifier}.lock")
    with lock:
        return _backtester(market).run(start, end, changes)


@lru_cache(maxsize=3)
def _backtester(market: Market) -> Any:
    from coordinator.adapters.backtesting.backtester import Backtester

    market.user_data.mkdir(parents=True, exist_ok=True)
    tolerant = run_settings(market.config).learning.on_failure == "baseline"
    return Backtester(market.config, market.strategy, market.datadir, market.user_data, tolerant=tolerant)


@lru_cache(maxsize=8)
def market_candles(market: Market, start: datetime, end: datetime) -> dict[str, pd.DataFrame]:
    """Dates (UTC, open) and closes of the pairs in a timerange, which value the account."""
    frames = {pair: read_candles(market.datadir, pair, "1h", market.trading_mode) for pair in market.pairs}
    return {
        pair: frame.loc[(frame["date"] >= start) & (frame["date"] < end), ["date", "close"]].reset_index(
            drop=True
        )
        for pair, frame in frames.items()
    }
