"""One job of a worker: one timerange backtested with one set of settings, and judged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from coordinator.candles.files import TradingMode, read_candles
from coordinator.jobs.optimize.figures import Figures, part_figures
from coordinator.jobs.traded import traded_rows
from coordinator.reports.equity import strategy_equity
from coordinator.reports.results import build_result
from coordinator.settings import run_settings

__all__ = ["Job", "Market", "Outcome", "evaluate"]


@dataclass(frozen=True)
class Market:
    """What all jobs of a study share; a worker builds its Freqtrade once for it.

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


@dataclass(frozen=True)
class Job:
    """A backtest to run.

    Attributes
    ----------
    start, split, end : midnights UTC, end excluded; judged apart before and after the split, None for no split
    section : the "coordinator" section
    identifier : FreqAI's, which names what predictions depend on; None without FreqAI
    """

    market: Market
    start: datetime
    split: datetime | None
    end: datetime
    section: Mapping[str, Any]
    identifier: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    train : Figures or None
        Before the split.
    validation : Figures
        After it, or of all days.
    returns : tuple of float
        Of every day, ratios, from the first to the last.
    validation_days : int
        How many of them, the last ones, are after the split.
    seconds : float
    """

    train: Figures | None
    validation: Figures
    returns: tuple[float, ...]
    validation_days: int
    seconds: float


def evaluate(job: Job) -> Outcome:
    """Run a job in this process.

    Raises
    ------
    BacktestFailedError
        (``coordinator.adapters.optimize``) with Freqtrade's words.
    """
    began = time.perf_counter()
    market = job.market
    changes: dict[str, Any] = {"coordinator": dict(job.section)}
    lock: Any = nullcontext()
    if job.identifier is not None:
        changes["freqai"] = {**market.config["freqai"], "identifier": job.identifier}
        # Two workers must not train and store the same predictions at once.
        folder = market.user_data / "models"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{job.identifier}.lock")
    with lock:
        run = _backtester(market).run(job.start, job.end, changes)
    result = build_result(market.strategy, run.stats, market.config.get("fee"))
    settings = run_settings({**market.config, **changes})
    rows = traded_rows(result, run.decisions, settings.dca)
    trades = result.trades[["open_date", "profit_abs"]].copy()
    trades["r"] = np.array([row.r for row in rows], dtype=np.float64)
    daily = strategy_equity(result, _candles(market, job.start, job.end)).daily
    start, end = pd.Timestamp(job.start), pd.Timestamp(job.end)
    split = start if job.split is None else pd.Timestamp(job.split)
    returns = daily.pct_change().dropna()
    return Outcome(
        train=None if job.split is None else part_figures(daily, trades, start, split),
        validation=part_figures(daily, trades, split, end),
        returns=tuple(round(float(value), 9) for value in returns),
        validation_days=int((returns.index > split).sum()),
        seconds=time.perf_counter() - began,
    )


@lru_cache(maxsize=1)
def _backtester(market: Market) -> Any:
    from coordinator.adapters.optimize.backtester import Backtester

    market.user_data.mkdir(parents=True, exist_ok=True)
    tolerant = run_settings(market.config).learning.on_failure == "baseline"
    return Backtester(market.config, market.strategy, market.datadir, market.user_data, tolerant=tolerant)


@lru_cache(maxsize=8)
def _candles(market: Market, start: datetime, end: datetime) -> dict[str, pd.DataFrame]:
    """Dates and closes of the pairs in a timerange, which value the account."""
    frames = {pair: read_candles(market.datadir, pair, "1h", market.trading_mode) for pair in market.pairs}
    return {
        pair: frame.loc[(frame["date"] >= start) & (frame["date"] < end), ["date", "close"]].reset_index(
            drop=True
        )
        for pair, frame in frames.items()
    }
