"""Metrics 1 to 10 of spec 001, at the end of every day of a run: arrays of shape (n_days,).

The arms are virtual trades: ML takes every signal whose score reaches ML's gate, the baseline every signal whose
technical percentile reaches its own, whatever was decided and however many positions are open. Their daily return is
the sum of the R that became known that day, times the share of the account that a trade risks. The third arm is what
the account traded: closed trades, with their own R (:attr:`~coordinator.ledger.trades.TradeRow.r`).
"""

from __future__ import annotations

import numpy as np

from coordinator.reports.rolling.daily import (
    by_day,
    covered,
    ratio,
    rolling_drawdown,
    rolling_sharpe,
    rolling_sum,
)
from coordinator.reports.rolling.run_data import NEVER, RunData
from coordinator.reports.rolling.targets import ACCOUNT, BASELINE, ML, Key
from coordinator.types import Bools, Floats, Ints

__all__ = ["execution_series", "performance_series"]

MINUTE = 60.0


def performance_series(run: RunData, length: int) -> dict[Key, Floats]:
    """Accuracy, Sharpe ratio, win rate, profit factor, drawdown and trades a day of each arm.

    - accuracy: share of the outcomes that the side's own percentile got right (at least .5 and R > 0, or below and
      R <= 0), of all signals on which it had one
    - win rate: share of the arm's trades with R > 0, after costs
    - profit factor: sum of profits over sum of losses, in R, of the account in the stake currency; the document's
      "average win / average loss" is another ratio. Infinite without a loss
    - Sharpe ratio, drawdown: :mod:`coordinator.reports.rolling.daily`
    """
    frame, r = run.decisions, run.decisions["outcome_r"].to_numpy()
    sides = ((ML, "ml_rank", run.gate), (BASELINE, "technical_percentile", run.baseline_gate))
    out: dict[Key, Floats] = {}
    for arm, column, gate in sides:
        rank = frame[column].to_numpy(dtype=np.float64)
        judged = ~np.isnan(rank) & (run.resolved_at != NEVER)
        right = judged & ((rank >= 0.5) == (r > 0))
        counts = (rolling_sum(by_day(run.days, run.resolved_at, one), length) for one in (right, judged))
        out[arm, "accuracy", ""] = ratio(*counts)
        taken = judged & (rank >= gate) & run.could_be_taken
        out |= _trades(run.days, run.resolved_at, taken, r, r * run.risk, length, arm)
    trades = run.trades
    real = trades["r"].to_numpy(dtype=np.float64)
    profit = trades["profit"].to_numpy(dtype=np.float64)
    closed = (run.closed_at != NEVER) & ~np.isnan(profit)
    returns = real * float(run.rule("sizing", "risk_per_trade"))
    return out | _trades(run.days, run.closed_at, closed, profit, returns, length, ACCOUNT)


def execution_series(run: RunData, length: int) -> dict[Key, Floats]:
    """Hit rate, fill rate, trades a day, hold time and slippage of what was traded.

    - hit rate: trades opened over signals decided; ``fill_rate`` over accepted signals
    - trades a day: entries filled, over the days of the window that the run has
    - hold time: minutes from the entry to the exit, mean of the trades closed
    - slippage: mean over the trades closed, when all their fills are known; positive is worse. Of entries the mean
      entry price against the close that was decided on, so later tranches of a plan count as better prices; of exits
      see :func:`coordinator.jobs.traded.traded_rows`. The subject is the pair, empty for all
    """
    days, trades = run.days, run.trades
    signals = rolling_sum(by_day(days, run.decided_at), length)
    accepted = rolling_sum(by_day(days, run.decided_at, run.decisions["accepted"].to_numpy()), length)
    keys = run.decisions.set_index(["time", "pair"]).index
    with_signal = trades.set_index(["time", "pair"]).index.isin(keys)
    hits = rolling_sum(by_day(days, run.opened_at, with_signal), length)
    opened = rolling_sum(by_day(days, run.opened_at), length)
    closed = rolling_sum(by_day(days, run.closed_at), length)
    past = run.closed_at != NEVER
    held = np.where(past, np.where(past, run.closed_at, 0) - np.where(past, run.opened_at, 0), 0) / MINUTE
    out: dict[Key, Floats] = {
        (ACCOUNT, "hit_rate", ""): ratio(hits, signals),
        (ACCOUNT, "fill_rate", ""): ratio(hits, accepted),
        (ACCOUNT, "trade_frequency", ""): opened / covered(len(days), length),
        (ACCOUNT, "hold_minutes", ""): ratio(rolling_sum(by_day(days, run.closed_at, held), length), closed),
    }
    pairs = trades["pair"].to_numpy(dtype=object)
    for metric, column in (("entry_slippage", "slippage"), ("exit_slippage", "exit_slippage")):
        value = trades[column].to_numpy(dtype=np.float64)
        for subject in ("", *sorted(set(pairs.tolist()))):
            own = ~np.isnan(value) & ((pairs == subject) | (subject == ""))
            out[ACCOUNT, metric, subject] = _mean(days, run.closed_at, own, value, length)
    return out


def _trades(
    days: Ints, moments: Ints, taken: Bools, profit: Floats, returns: Floats, length: int, arm: str
) -> dict[Key, Floats]:
    def total(values: Floats | Bools) -> Floats:
        return rolling_sum(by_day(days, moments, np.where(taken, values, 0.0)), length)

    count = total(taken)
    daily = by_day(days, moments, np.where(taken, returns, 0.0))
    out: dict[Key, Floats] = {
        (arm, "sharpe", ""): rolling_sharpe(daily, length),
        (arm, "win_rate", ""): ratio(total(profit > 0), count),
        (arm, "profit_factor", ""): ratio(total(np.maximum(profit, 0.0)), total(np.maximum(-profit, 0.0))),
        (arm, "max_drawdown", ""): np.where(count > 0, rolling_drawdown(daily, length), np.nan),
    }
    if arm != ACCOUNT:
        out[arm, "trade_frequency", ""] = count / covered(len(days), length)
    return out


def _mean(days: Ints, moments: Ints, own: Bools, value: Floats, length: int) -> Floats:
    total = rolling_sum(by_day(days, moments, np.where(own, value, 0.0)), length)
    return ratio(total, rolling_sum(by_day(days, moments, own), length))
