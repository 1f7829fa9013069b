"""Annotations of FreqUI's chart: Freqtrade's trades and locks, and the decisions that stand.

FreqUI asks from a thread of the API server: nothing is decided, stored or changed here.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from freqtrade.ft_types import AnnotationType
from freqtrade.persistence import PairLocks, Trade
from pandas import DataFrame

from coordinator.adapters.persistence.plan_book import PlanBook
from coordinator.run.chart import annotations as chart
from coordinator.run.chart.columns import indicator_columns
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings
from coordinator.types import Times

__all__ = ["chart_annotations", "pair_locks", "trades_of"]


def chart_annotations(
    pair: str,
    dataframe: DataFrame,
    run: TradingRun,
    settings: Settings,
    trades: list[chart.ChartTrade],
    locks: list[chart.ChartLock],
    *,
    can_short: bool,
) -> list[AnnotationType]:
    """All annotations of a pair's chart.

    Parameters
    ----------
    dataframe : the chart's candles
    settings : Settings
        As tuned.
    """
    analyses = run.market.of_pair(pair)
    time: Times = dataframe["date"].to_numpy(dtype="datetime64[s]").astype(np.int64)
    if not len(time) or not analyses:
        return []
    begin, end = int(time[0]), int(time[-1])
    out = []
    if run.latest is not None:
        table, decided = run.latest
        out += chart.phase_areas(table, decided, begin, end)
        high = dataframe["high"].to_numpy(dtype=float)
        out += chart.signal_points(pair, table, decided, time, high)
    out += chart.lock_areas(locks, begin, end)
    analysis = analyses[0]
    own = settings.on_clock(analysis.clock)
    columns = indicator_columns(analysis, own.baseline)
    rows = slice(*np.searchsorted(analysis.candles.time, (begin, end + 1)).tolist())
    wanted = [("enter above", "entry_high", False)]
    wanted += [("enter below", "entry_low", False)] if can_short else []
    if own.exits.channel:
        wanted += [("exit below", "exit_low", True)]
        wanted += [("exit above", "exit_high", True)] if can_short else []
    levels = [(name, columns[column][rows], leaves) for name, column, leaves in wanted]
    out += chart.level_lines(analysis.candles.time[rows], levels, end)
    for trade in trades:
        out += chart.trade_lines(trade, begin, end)
    return out


def trades_of(pair: str, plans: PlanBook) -> list[chart.ChartTrade]:
    """The pair's open trades that have been filled, with their target."""
    out = []
    for trade in Trade.get_trades_proxy(pair=pair, is_open=True):
        if not trade.nr_of_successful_entries:
            continue
        plan = plans.known(trade)
        target = plan.target_rate if plan is not None and np.isfinite(plan.target_distance) else None
        out.append(
            chart.ChartTrade(
                direction=-1 if trade.is_short else 1,
                opened=int(trade.open_date_utc.timestamp()),
                entry=trade.open_rate,
                stop=trade.stop_loss,
                target=target,
            )
        )
    return out


def pair_locks(pair: str) -> list[chart.ChartLock]:
    """Locks of the pair and of all pairs; those released early are left out, as Freqtrade keeps no time for it."""
    return [
        chart.ChartLock(_seconds(lock.lock_time), _seconds(lock.lock_end_time), lock.reason or "by hand")
        for lock in PairLocks.get_all_locks()
        if lock.active and lock.pair in (pair, "*")
    ]


def _seconds(moment: datetime) -> int:
    """Freqtrade's database hands out times without a zone; they are UTC."""
    return int(moment.replace(tzinfo=UTC).timestamp())
