"""What the report of an evaluation needs beside the accounts: buy and hold, the market's state, the tables' order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from coordinator.candles.files import read_candles
from coordinator.jobs.evaluation.problem import EvaluationProblem
from coordinator.jobs.run_plan import RunPlan
from coordinator.reports.equity import buy_and_hold
from coordinator.reports.evaluation.account_run import AccountRun
from coordinator.reports.evaluation.evaluation import BASELINE, HOLD, HOLD_EXPOSED, Evaluation
from coordinator.signals.candles import Candles
from coordinator.signals.regime import REGIMES, compute_regime
from coordinator.signals.regime_gate import bitcoin_pair

__all__ = ["conclude"]

HOUR = pd.Timedelta(hours=1)


def conclude(
    problem: EvaluationProblem, accounts: Mapping[str, AccountRun], command: str, tried: int
) -> Evaluation:
    """The evaluation of all accounts."""
    plan = problem.plan
    shown = {**accounts, **_holding(plan, accounts.get(BASELINE))}
    groups: dict[str, tuple[str, ...]] = {}
    against = {}
    for variant in problem.ready(accounts):
        groups[variant.group] = (*groups.get(variant.group, ()), variant.name)
        against[variant.name] = variant.against
    groups["accounts"] += tuple(name for name in shown if name not in accounts)
    days = (plan.end - plan.start).days
    span = f"{plan.start:%Y-%m-%d} to {plan.end:%Y-%m-%d} ({days:,} days)"
    title = f"{span}, {len(plan.pairs)} pairs, {plan.trading_mode}"
    return Evaluation(
        title=title,
        command=command,
        currency=plan.config["stake_currency"],
        fee=plan.settings.costs.fee,
        accounts=shown,
        groups=groups,
        against=against,
        regimes=_regimes(plan),
        tried=tried,
    )


def _holding(plan: RunPlan, base: AccountRun | None) -> dict[str, AccountRun]:
    """Buy and hold, and what it makes with the baseline's mean exposure, the rest in cash."""
    if base is None or base.problem:
        return {}
    start, end = pd.Timestamp(plan.start), pd.Timestamp(plan.end) - HOUR
    held = buy_and_hold(plan.candles(), start, end, HOUR, float(base.daily.iloc[0]), plan.settings.costs.fee)
    daily = held.equity.daily
    profits = tuple(float(profit) for profit in held.profits)
    traded = held.fees / plan.settings.costs.fee if plan.settings.costs.fee else 0.0
    whole = AccountRun(HOLD, daily, profits, held.fees, traded, exposure=1.0)
    share = base.exposure
    returns = daily.pct_change().fillna(0.0) * share
    part = replace(whole, name=HOLD_EXPOSED, daily=daily.iloc[0] * (1 + returns).cumprod(), exposure=share)
    return {HOLD: whole, HOLD_EXPOSED: replace(part, profits=(), fees=np.nan, traded=np.nan)}


def _regimes(plan: RunPlan) -> pd.Series:
    """The state known at each midnight, of Bitcoin, or of the first pair where it is not there."""
    futures = plan.trading_mode == "futures"
    wanted = plan.settings.regime.reference or bitcoin_pair(plan.config["stake_currency"], futures=futures)
    pair = wanted if wanted in plan.pairs else plan.pairs[0]
    frame = read_candles(plan.datadir, pair, "1h", plan.trading_mode)
    candles = Candles.from_frame(frame, "1h")
    regime = compute_regime(candles, plan.settings.regime).regime
    closed = pd.to_datetime(candles.time + candles.seconds, unit="s", utc=True).as_unit("us")
    midnight = closed == closed.floor("D")
    return pd.Series(np.array(REGIMES, dtype=object)[regime][midnight], index=closed[midnight])
