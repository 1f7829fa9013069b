"""One job of a worker: one timerange backtested with one set of settings, and judged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from coordinator.jobs.backtest_worker import Market, backtest_in_process, market_candles
from coordinator.jobs.optimize.figures import Figures, part_figures
from coordinator.jobs.traded import traded_rows
from coordinator.reports.equity import strategy_equity
from coordinator.reports.results import build_result
from coordinator.settings import run_settings

__all__ = ["Job", "Outcome", "evaluate"]


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
        (``coordinator.adapters.backtesting``) with Freqtrade's words.
    """
    began = time.perf_counter()
    market = job.market
    changes: dict[str, Any] = {"coordinator": dict(job.section)}
    run = backtest_in_process(market, job.start, job.end, changes, job.identifier)
    result = build_result(market.strategy, run.stats, market.config.get("fee"))
    settings = run_settings({**market.config, **changes})
    rows = traded_rows(result, run.decisions, settings.dca)
    trades = result.trades[["open_date", "profit_abs"]].copy()
    trades["r"] = np.array([row.r for row in rows], dtype=np.float64)
    daily = strategy_equity(result, market_candles(market, job.start, job.end)).daily
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
