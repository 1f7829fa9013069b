"""Spec 003: returns and drawdown with and without each improvement, on the same outcomes of one window."""

from __future__ import annotations

import numpy as np

from coordinator.decision.decisions import REJECTIONS
from coordinator.reports.rolling.daily import by_day, rolling_drawdown, rolling_sharpe
from coordinator.reports.rolling.improvements import (
    LIMITS,
    SIZES,
    in_window,
    outcome_cells,
    refuses,
    size_factor,
)
from coordinator.reports.rolling.run_data import NEVER, NO_SHORTS, RunData, day_of
from coordinator.reports.rolling.table import Cell, MetricTable, Rows
from coordinator.signals.technical import REARMED_REASON
from coordinator.types import Floats, Ints

__all__ = ["with_and_without_table"]

GATE, THRESHOLDS, DYNAMIC = "regime_gate", "adaptive_thresholds", "dynamic_reward_risk"
NAN = float("nan")


def with_and_without_table(run: RunData, until: int, length: int) -> MetricTable:
    """Mean R, profit factor, Sharpe ratio and drawdown of an account without the improvement, and with it.

    - sizes: accepted signals, R times the adjusted over the base size
    - regime gate: signals that could be traded (in spot longs, none that only re-armed); with it, those it let through
    - correlation filter and sector limit: entries asked for; with it, those it let through. The ranking records only
      entries that it refused: without it, all accepted signals
    - adaptive thresholds: signals whose confidence met the adaptive threshold, against the fixed one
    - dynamic reward:risk: the ledger has no outcome at another target, so the comparison is unknown

    A day's return is the sum of R that became known on it, times the risk of a trade. Shadow mode is compared as if it
    were on.
    """
    last = int(day_of(until))
    days = np.arange(last - length + 1, last + 1, dtype=np.int64)
    rows: Rows = []
    for name in (GATE, DYNAMIC, *LIMITS, THRESHOLDS, *SIZES):
        own = run.improved[(run.improved["name"] == name) & (run.improved["at"] <= until)]
        if own.empty:
            continue
        mode = str(own["mode"].iloc[-1])
        if name == DYNAMIC:
            rows.append((name, [mode, "", *[NAN] * 5]))
            continue
        for side, known in zip(("without", "with"), _sides(run, name, until, length), strict=True):
            rows.append((name, [mode, side, *_cells(run, days, *known)]))
    head = ("Improvement", "Mode", "Side", "Outcomes", "Mean R", "Profit factor", "Sharpe", "Drawdown")
    units = ("text", "text", "count", "number", "number", "number", "percent")
    return MetricTable("With and without each improvement", head, units, rows)


def _sides(
    run: RunData, name: str, until: int, length: int
) -> tuple[tuple[Floats, Ints], tuple[Floats, Ints]]:
    """R and when it was known, without and with an improvement."""
    own = run.improved[run.improved["name"] == name]
    known = own[in_window(own["resolved_at"].to_numpy(), until, length)]
    r, at = known["outcome_r"].to_numpy(dtype=np.float64), known["resolved_at"].to_numpy()
    if name in SIZES:
        taken = known["accepted"].to_numpy()
        return (r[taken], at[taken]), ((r * size_factor(known))[taken], at[taken])
    if name == "ranking":
        accepted = run.decisions["accepted"].to_numpy() & in_window(run.resolved_at, until, length)
        beaten = set(zip(own["time"], own["pair"], strict=True))
        keys = zip(run.decisions["time"], run.decisions["pair"], strict=True)
        left = accepted & np.array([key not in beaten for key in keys], dtype=bool)
        r, at = run.decisions["outcome_r"].to_numpy(), run.resolved_at
        return (r[accepted], at[accepted]), (r[left], at[left])
    if name in LIMITS:
        through = ~refuses(known)
        return (r, at), (r[through], at[through])
    if name == GATE:
        rearmed = known["reasons"].fillna("").str.startswith(REARMED_REASON)
        tradable = (~rearmed & (known["rejection"] != REJECTIONS[NO_SHORTS])).to_numpy()
        through = tradable & (known["adjusted"] > 0).to_numpy()
        return (r[tradable], at[tradable]), (r[through], at[through])
    confidence = known["unified_confidence"].to_numpy(dtype=np.float64)
    fixed, adaptive = (confidence >= known[side].to_numpy() for side in ("base", "adjusted"))
    return (r[fixed], at[fixed]), (r[adaptive], at[adaptive])


def _cells(run: RunData, days: Ints, r: Floats, at: Ints) -> list[Cell]:
    count, mean_r, _, factor = outcome_cells(r[~np.isnan(r)])
    returns = r * float(run.rule("sizing", "risk_per_trade"))
    daily = by_day(days, np.where(np.isnan(r), NEVER, at), returns)
    return [
        count,
        mean_r,
        factor,
        float(rolling_sharpe(daily, len(days))[-1]),
        float(rolling_drawdown(daily, len(days))[-1]),
    ]
