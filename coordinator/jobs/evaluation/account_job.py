"""What a worker does for an evaluation: one backtest, and what is kept of it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from coordinator.jobs.backtest_worker import backtest_in_process, market_candles
from coordinator.ledger.frame import normalise_decisions
from coordinator.reports.equity import strategy_equity
from coordinator.reports.evaluation.account_run import AccountRun, account_run
from coordinator.reports.evaluation.skill import ml_say, skill_of
from coordinator.reports.results import build_result

if TYPE_CHECKING:
    from coordinator.jobs.evaluation.problem import AccountJob

__all__ = ["run_account"]


def run_account(job: AccountJob) -> AccountRun:
    """Run a job in this process.

    Raises
    ------
    BacktestFailedError
        (``coordinator.adapters.backtesting``) with Freqtrade's words.
    """
    began = time.perf_counter()
    market, variant = job.market, job.variant
    run = backtest_in_process(market, job.start, job.end, job.changes, job.identifier)
    result = build_result(variant.strategy, run.stats, job.changes["fee"])
    equity = strategy_equity(result, market_candles(market, job.start, job.end))
    account = account_run(variant.name, result, equity, time.perf_counter() - began)
    if run.decisions is None:
        return account
    decisions = normalise_decisions(run.decisions, variant.name)
    decisions = decisions[decisions["time"] >= pd.Timestamp(job.start)]
    taken = decisions[decisions["accepted"] & decisions["outcome_r"].notna()]
    return replace(
        account,
        accepted=len(taken),
        false_signals=int((taken["outcome_r"] <= 0).sum()),
        skill=skill_of(decisions) if variant.trains else (),
        say=ml_say(decisions) if variant.trains else None,
    )
