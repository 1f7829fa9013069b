"""Keeps what models learn from: of a backtest at once, of a bot as it becomes known (``data_collection``)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from coordinator.components.market_history import BASE, MarketHistory, PairHistory
from coordinator.decision.table import SignalTable
from coordinator.errors import CoordinatorError
from coordinator.ledger.samples.prediction_rows import write_predictions
from coordinator.ledger.samples.sizes import sample_sizes, size_sentence
from coordinator.ledger.store import Ledger
from coordinator.run.collection.samples import Predicted, panel_samples, said_on_signals, signal_samples
from coordinator.run.live.ledger import LiveLedger
from coordinator.settings import Settings
from coordinator.signals.candles import Candles, timeframe_seconds
from coordinator.types import FAR_FUTURE, SECONDS_PER_DAY, Bools

__all__ = ["SampleCollector"]

logger = logging.getLogger(__name__)

CandlesByTimeframe = Mapping[str, Candles]
LATE_CANDLES = 3  # a pair whose candles are so late is not waited for
LATE_DAYS = 5  # a bot that was off for so long still fills the panel's gap


class SampleCollector:
    """Writes features, panel samples and predictions into a run's ledger. A failure is a warning, never the run's end.

    Parameters
    ----------
    candles : callable
        All pairs' candles by timeframe, as the strategy has them now.
    pooled : whether one model speaks for all pairs (``learning.pooled``)
    """

    def __init__(self, candles: Callable[[], Mapping[str, CandlesByTimeframe]], *, pooled: bool) -> None:
        self._candles, self._pooled = candles, pooled
        self._predicted: dict[str, Predicted] = {}
        self._collected: set[tuple[int, str]] | None = (
            None  # a bot's signals, those of before a restart included
        )
        self._panel_until = 0

    def put_predictions(self, pair: str, frame: pd.DataFrame, columns: Mapping[str, tuple[str, ...]]) -> None:
        """Keep what the models said on a pair's candles until it is written.

        Parameters
        ----------
        columns : mapping of component to the names of its columns
        """
        names = [name for own in columns.values() for name in own if name in frame]
        self._predicted[pair] = Predicted(frame[["date", *names]], columns)

    def write_backtest(self, path: Path, run: int, signals: SignalTable, settings: Settings) -> None:
        """Everything of a backtest, once its decisions are in the ledger."""
        if not settings.data_collection.enabled or not len(signals):
            return
        try:
            ledger, rows = Ledger(path), np.ones(len(signals), dtype=bool)
            market = self._market(settings)
            ledger.write_features(run, signal_samples(market, signals, settings, rows))
            for table in panel_samples(market, settings, int(signals.time[0]), FAR_FUTURE):
                ledger.write_panel(run, table)
            for said in said_on_signals(self._predicted, signals, rows, pooled=self._pooled):
                write_predictions(ledger, said)
            logger.info("Collected for learning: %s", size_sentence(sample_sizes(ledger, run)))
        except Exception as error:
            logger.warning("Samples were not collected: %s: %s", type(error).__name__, error)
        finally:
            self._predicted = {}

    def write_live(self, ledger: LiveLedger, signals: SignalTable, settings: Settings, now: int) -> None:
        """What has become known with a bot's newest candle, as far as its signals are in the ledger.

        Parameters
        ----------
        now : int
            Open time of the newest closed candle.
        """
        if not settings.data_collection.enabled:
            return
        if self._collected is None:
            self._collected = ledger.featured()
        candles = self._candles()
        # A signal's features rank its pair among the others, whose candles arrive one by one.
        complete = min((int(own[BASE].time[-1]) for own in candles.values() if len(own[BASE])), default=0)
        complete = max(complete, now - LATE_CANDLES * timeframe_seconds(BASE))
        new = {key for key in ledger.written - self._collected if key[0] <= complete}
        rows: Bools = np.array([key in new for key in signals.signal_keys()], dtype=bool)
        clock = min(settings.on_clock(name).baseline.clock_seconds for name in settings.clock_names)
        panel_due = bool(ledger.written) and complete // clock > self._panel_until // clock
        if not rows.any() and not panel_due:
            return
        try:
            market = self._market(settings)
            if rows.any():
                ledger.write_features(signal_samples(market, signals, settings, rows))
                self._collected |= new
                for said in said_on_signals(self._predicted, signals, rows, pooled=self._pooled):
                    ledger.write_predictions(said)
            if panel_due:
                longest = max(settings.on_clock(n).quality.panel_horizon for n in settings.clock_names)
                begin = now - (longest + LATE_DAYS) * SECONDS_PER_DAY
                for table in panel_samples(market, settings, begin, complete + 1):
                    ledger.write_panel(table)
                self._panel_until = complete
        except (CoordinatorError, ValueError, KeyError, IndexError) as error:
            logger.warning("Samples of this candle were not collected: %s: %s", type(error).__name__, error)

    def _market(self, settings: Settings) -> MarketHistory:
        return MarketHistory({pair: PairHistory(own) for pair, own in self._candles().items()}, settings)
