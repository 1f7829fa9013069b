"""A bot writes the rolling metrics of each day into its ledger, once, an hour after the day has ended."""

from __future__ import annotations

from datetime import datetime

from coordinator.ledger.metric_history import MetricRow
from coordinator.ledger.store import Ledger
from coordinator.reports.rolling.run_data import load_run
from coordinator.reports.rolling.summary import metric_rows, rolling_series
from coordinator.run.live.ledger import LiveLedger
from coordinator.types import SECONDS_PER_DAY

__all__ = ["MetricRecorder"]

DELAY = 3600  # seconds: until the candle that closed at midnight has been decided on and written


class MetricRecorder:
    """Records nothing in backtests: ``coordinator backtest`` writes their metrics. A failure is one line in the log."""

    def __init__(self) -> None:
        self._ledger: LiveLedger | None = None
        self._day: int | None = None

    def start_live(self, ledger: LiveLedger) -> None:
        """Keep metrics in a bot's ledger from now on."""
        self._ledger = ledger

    def record(self, now: datetime) -> None:
        """Write the day that ended last, if that is not done: at a bot's start, and once a day."""
        day = (int(now.timestamp()) - DELAY) // SECONDS_PER_DAY
        if self._ledger is None or day == self._day:
            return
        self._day = day
        midnight = day * SECONDS_PER_DAY

        def of_the_day(ledger: Ledger, run_id: int) -> list[MetricRow]:
            run = load_run(ledger, run_id)
            rows = metric_rows(run, rolling_series(run), midnight - SECONDS_PER_DAY)
            return [row for row in rows if row.time == midnight]

        self._ledger.write_metrics(of_the_day)
