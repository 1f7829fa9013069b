"""What is said when a training fails: what failed, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from freqtrade.configuration import TimeRange
from pandas import DataFrame

from coordinator.components.absence import FAILED
from coordinator.components.market_history import BASE, MarketHistory
from coordinator.signals.candles import open_seconds

__all__ = ["HELP", "WAY_OUT", "failed_windows", "training_failed"]

HELP = "More candles before the timerange or a shorter train_period_days may help."
WAY_OUT = 'With "learning.on_failure": "baseline" what failed is absent and the rest trades on.'


def training_failed(pair: str, error: str, market: MarketHistory, train_days: int, window: TimeRange) -> str:
    """Why a backtest or a historic chart ends, and which timerange could be trained.

    Parameters
    ----------
    error : what the training raised, in words; may be empty
    train_days : FreqAI's train_period_days
    window : the training's
    """
    what = f"Training of {pair} failed: {error or 'see the log'}"
    if pair not in market.pairs:
        return f"{what} There are no {BASE} candles of it in the data directory: download them."
    # A young pair needs no candles of its own: the oldest one's are what is trained on.
    begins = {name: int(history.candles[BASE].time[0]) for name, history in market.pairs.items()}
    oldest = min(begins, key=lambda name: (begins[name], name != pair))
    first = datetime.fromtimestamp(begins[oldest], tz=UTC)
    if first.timestamp() <= window.startts:
        return f"{what} {HELP} {WAY_OUT}"
    trainable = first + timedelta(days=train_days + 1)
    return (
        f"{what} FreqAI trains on the {train_days} days before the timerange (freqai.train_period_days), and the "
        f"candles of {oldest} begin on {first:%Y-%m-%d}: begin the timerange on {trainable:%Y-%m-%d} or later, or "
        f"download older candles. {WAY_OUT}"
    )


def failed_windows(frame: DataFrame, windows: Sequence[TimeRange], components: Sequence[str]) -> str:
    """Which components failed in how many of a backtest's windows, in words; empty where none did."""
    times, parts = open_seconds(frame), []
    for name in components:
        column = f"{name}_absence"
        failed = times[frame[column] == FAILED] if column in frame else times[:0]
        count = sum(bool(((failed >= w.startts) & (failed < w.stopts)).any()) for w in windows)
        if count:
            parts.append(f"{name} failed in {count} of {len(windows)} windows")
    return ", ".join(parts)
