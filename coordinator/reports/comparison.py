"""Strategies beside buy and hold, on the same time, balance and definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from coordinator.errors import CoordinatorError
from coordinator.reports.difference import annual_difference
from coordinator.reports.equity import Equity, buy_and_hold, strategy_equity
from coordinator.reports.metrics import Metrics, hold_metrics, strategy_metrics
from coordinator.reports.results import BacktestResult
from coordinator.reports.texts import money, number, percent

__all__ = ["HOLD", "Column", "Comparison", "compare"]

HOLD = "Buy and hold"


@dataclass(frozen=True)
class Column:
    """One column of the comparison."""

    name: str
    metrics: Metrics
    equity: Equity


@dataclass(frozen=True)
class Comparison:
    """Columns, strategies first and buy and hold last, and what a reader must know about them."""

    columns: tuple[Column, ...]
    currency: str
    title: str
    notes: tuple[str, ...]

    def rows(self) -> list[tuple[str, list[str]]]:
        """Each figure's name and its text in every column."""
        each = [column.metrics for column in self.columns]
        unit = self.currency
        return [
            ("Profit", [percent(m.profit, sign=True) for m in each]),
            (f"Profit ({unit})", [money(m.profit_abs, sign=True, currency=unit) for m in each]),
            ("Sharpe", [number(m.sharpe) for m in each]),
            ("Sortino", [number(m.sortino) for m in each]),
            ("Calmar", [number(m.calmar) for m in each]),
            ("Profit factor", [number(m.profit_factor) for m in each]),
            ("Max drawdown", [percent(m.max_drawdown) for m in each]),
            ("Win rate", [percent(m.win_rate) for m in each]),
            ("Trades", [f"{m.trades:,}" for m in each]),
            (f"Fees paid ({unit})", [money(m.fees, currency=unit) for m in each]),
            ("Profit at twice the fee", [percent(m.profit_at_twice_the_fee, sign=True) for m in each]),
        ]


def compare(
    results: Sequence[BacktestResult], candles: Mapping[str, pd.DataFrame], fee: float | None = None
) -> Comparison:
    """Compute all columns.

    Parameters
    ----------
    results : sequence of BacktestResult
        At least one. Buy and hold covers the first one's time, pairs and balance.
    candles : mapping of pair to pandas.DataFrame
        With date (UTC, open) and close; at least the first result's pairs.
    fee : float, optional
        Ratio that buy and hold pays per order; by default what the first result's trades paid.

    Raises
    ------
    CoordinatorError
        If there is no result, two are of one strategy, currencies or markets differ, or candles are missing.
    """
    if not results:
        raise CoordinatorError("results", "the comparison", "hold at least one backtest", "none")
    first = results[0]
    names = [result.strategy for result in results]
    if len(set(names)) < len(names):
        raise CoordinatorError("results", "the comparison", "hold each strategy once", names)
    for name, values in (
        ("stake_currency", [result.stake_currency for result in results]),
        ("trading_mode", [result.trading_mode for result in results]),
    ):
        if len(set(values)) > 1:
            raise CoordinatorError(name, "the compared backtests", "be the same", values)
    missing = [pair for pair in first.pairs if pair not in candles]
    if missing:
        raise CoordinatorError("candles", "the comparison", f"include {', '.join(missing)}", sorted(candles))
    columns = []
    for result in results:
        equity = strategy_equity(result, candles)
        columns.append(Column(result.strategy, strategy_metrics(result, equity), equity))
    paid = next((value for value in (fee, *(result.fee for result in results)) if value is not None), 0.0)
    own = {pair: candles[pair] for pair in first.pairs}
    holding = buy_and_hold(own, first.start, first.end, first.timeframe, first.starting_balance, paid)
    columns.append(Column(HOLD, hold_metrics(holding), holding.equity))
    title = f"{_span(first)}, {len(first.pairs)} pairs, {first.trading_mode}"
    return Comparison(tuple(columns), first.stake_currency, title, _notes(results, columns, paid))


def _span(result: BacktestResult) -> str:
    return f"{result.start:%Y-%m-%d %H:%M} to {result.end + result.timeframe:%Y-%m-%d %H:%M} UTC"


def _against(one: Column, other: Column) -> str:
    """The difference of two strategies in words; within the interval's reach of 0 there is none."""
    mean, low, high = annual_difference(one.equity.daily, other.equity.daily)
    if mean != mean:
        return f"{one.name} and {other.name}: too few days for an interval."
    verdict = "no difference that is not noise" if low <= 0.0 <= high else "a difference"
    return (
        f"{one.name} less {other.name}: {percent(mean, sign=True)} a year, 90 % interval {percent(low, sign=True)} to "
        f"{percent(high, sign=True)} (stationary bootstrap of daily returns): {verdict}."
    )


def _notes(results: Sequence[BacktestResult], columns: Sequence[Column], fee: float) -> tuple[str, ...]:
    first = results[0]
    notes = [
        "Sharpe, Sortino, Calmar, drawdown: of daily account values in every column, 365 days a year.",
        f"{HOLD}: the same balance, split evenly, each pair bought at its first close and sold at its last; its share "
        "is cash before and after.",
        f"Fee: {fee:.3%} of each order's value ({first.trading_mode}). At twice the fee: the fees paid once more, with "
        "nothing else changed.",
    ]
    for result in results[1:]:
        if (result.start, result.end) != (first.start, first.end):
            notes.append(f"Not comparable: {result.strategy} covers {_span(result)}, not {_span(first)}.")
        if result.starting_balance != first.starting_balance:
            balances = f"{money(result.starting_balance)}, not {money(first.starting_balance)}"
            notes.append(f"Not comparable: {result.strategy} began with {balances}.")
        if set(result.pairs) != set(first.pairs):
            notes.append(f"Not comparable: {result.strategy} had other pairs than {first.strategy}.")
    notes += [_against(columns[0], column) for column in columns[1 : len(results)]]
    notes += [
        f"Open positions of {column.name} are not at candle closes: {column.equity.basis}."
        for column in columns
        if column.equity.basis != "marked to market"
    ]
    notes += [f"{result.strategy} made no trades." for result in results if result.trades.empty]
    return tuple(notes)
