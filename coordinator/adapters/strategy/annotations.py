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
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings
from coordinator.signals.candles import open_seconds
from coordinator.types import Floats, Times

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
    time = open_seconds(dataframe)
    if not len(time) or not analyses:
        return []
    analysis = analyses[0]
    high, low = (dataframe[name].to_numpy(dtype=float) for name in ("high", "low"))
    candles = chart.ChartCandles(time, high, low, analysis.candles.seconds)
    out = []
    if run.latest is not None:
        out += chart.phase_areas(*run.latest, candles)
        out += chart.signal_points(pair, *run.latest, candles)
    out += chart.lock_areas(locks, candles)
    own = settings.on_clock(analysis.clock)
    out += chart.level_lines(_levels(analysis, own, time, can_short=can_short), candles)
    for trade in trades:
        out += chart.trade_lines(trade, candles)
    return out


def _levels(
    analysis: PairAnalysis, settings: Settings, time: Times, *, can_short: bool
) -> list[tuple[str, Floats, bool]]:
    """Prices of entries and exits at the chart's candles, NaN where the candle was not analysed."""
    columns = indicator_columns(analysis, settings.baseline)
    rows = np.searchsorted(analysis.candles.time, time)
    rows = np.minimum(rows, len(analysis.candles) - 1)
    same = analysis.candles.time[rows] == time
    wanted = [("enter above", "entry_high", False)] + [("enter below", "entry_low", False)] * can_short
    if settings.exits.channel:
        wanted += [("exit below", "exit_low", True)] + [("exit above", "exit_high", True)] * can_short
    return [(name, np.where(same, columns[column][rows], np.nan), leaves) for name, column, leaves in wanted]


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
    """Locks of the pair and of all pairs.

    Without those released early, as Freqtrade keeps no time for it, and its own of the candle after each exit.
    """
    return [
        chart.ChartLock(_seconds(lock.lock_time), _seconds(lock.lock_end_time), lock.reason or "by hand")
        for lock in PairLocks.get_all_locks()
        if lock.active and lock.pair in (pair, "*") and lock.reason != "Auto lock"
    ]


def _seconds(moment: datetime) -> int:
    """Freqtrade's database hands out times without a zone; they are UTC."""
    return int(moment.replace(tzinfo=UTC).timestamp())
