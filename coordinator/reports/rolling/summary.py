"""The metrics of a run's last 30 days as one object, and over time: what the command, the report and a bot show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from coordinator.errors import CoordinatorError
from coordinator.ledger.metric_history import MetricRow
from coordinator.ledger.store import Ledger
from coordinator.reports.rolling.comparison import with_and_without_table
from coordinator.reports.rolling.health import (
    confidence_table,
    health_series,
    importance_table,
    model_table,
    skill_table,
)
from coordinator.reports.rolling.improvement_series import improvement_series
from coordinator.reports.rolling.improvements import (
    filter_table,
    regime_table,
    reward_risk_table,
    score_table,
    size_table,
    threshold_table,
)
from coordinator.reports.rolling.performance import execution_series, performance_series
from coordinator.reports.rolling.portfolio import (
    CORRELATION,
    portfolio_correlation,
    portfolio_series,
    portfolio_table,
)
from coordinator.reports.rolling.run_data import RunData, load_run
from coordinator.reports.rolling.table import MetricTable, as_json, as_text
from coordinator.reports.rolling.targets import ACCOUNT, BASELINE, METRICS, ML, PRIMARY, Key, Metric, verdict
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = [
    "WINDOW_DAYS",
    "MetricValue",
    "RollingReport",
    "RollingView",
    "metric_rows",
    "read_rolling",
    "rolling_series",
    "stored_correlation",
    "summarise",
    "view_rolling",
]

WINDOW_DAYS = 30


@dataclass(frozen=True)
class MetricValue:
    """A metric of the window: of ML's arm, of the baseline's and of the account; NaN where it has none."""

    metric: Metric
    ml: float
    baseline: float
    account: float

    @property
    def verdict(self) -> str:
        """Of ML's arm against the documented target, or of the account's where the metric is of no arm."""
        return verdict(self.metric, self.account if self._of_account else self.ml)

    @property
    def baseline_verdict(self) -> str:
        """The baseline's arm against the same target; empty where the metric is of no arm."""
        return "" if self._of_account else verdict(self.metric, self.baseline)

    @property
    def _of_account(self) -> bool:
        return self.metric not in PRIMARY

    def texts(self) -> list[str]:
        """ML, baseline, account, target, verdicts: as they are printed."""
        values = [as_text(value, self.metric.unit) for value in (self.ml, self.baseline, self.account)]
        return [*values, self.metric.target_text, self.verdict, self.baseline_verdict]

    def as_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "metric": self.metric.name,
            "label": self.metric.label,
            "unit": self.metric.unit,
            "ml": as_json(self.ml),
            "baseline": as_json(self.baseline),
            "account": as_json(self.account),
            "target": self.metric.target,
            "target_is": "below" if self.metric.below else "above",
            "verdict": self.verdict,
            "baseline_verdict": self.baseline_verdict,
        }


HEAD = ("Metric", "ML", "Baseline", "Account", "Target", "Verdict", "Baseline's")


@dataclass(frozen=True)
class RollingReport:
    """The window that ends at ``end`` (UTC midnight): the 15 metrics, then the tables of models and improvements."""

    run_id: int
    strategy: str
    days: int
    end: datetime
    metrics: tuple[MetricValue, ...]
    tables: tuple[MetricTable, ...]

    @property
    def title(self) -> str:
        """What the window is, in words."""
        return (
            f"{self.strategy}, run {self.run_id}: the {self.days} days to {self.end:%Y-%m-%d} (UTC midnight)"
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON types; numbers that are undefined or infinite are None."""
        return {
            "run_id": self.run_id,
            "strategy": self.strategy,
            "days": self.days,
            "end": self.end.isoformat(),
            "metrics": [value.as_dict() for value in self.metrics],
            "tables": [table.as_dict() for table in self.tables],
        }


def read_rolling(
    ledger: Ledger, run_id: int | None = None, days: int = WINDOW_DAYS, end: datetime | None = None
) -> RollingReport:
    """The metrics of a run as plain data, from its ledger alone: for the command, REST and Telegram.

    Parameters
    ----------
    run_id : int, optional
        The last started run unless named.
    days : int
        Length of the window.
    end : datetime.datetime, optional
        Timezone-aware; the window ends at the last midnight up to it. By default with the last day of which the run
        knows anything.

    Raises
    ------
    CoordinatorError
        If there is no such run, or it knows nothing by then.
    """
    run = load_run(ledger, run_id)
    stored = ledger.metrics(run.run_id, CORRELATION) if days == WINDOW_DAYS else None
    return summarise(run, days, end, stored)


def rolling_series(run: RunData, days: int = WINDOW_DAYS) -> dict[Key, Floats]:
    """Every metric by (arm, metric, subject) at the end of each day of ``run.days``, shape (n_days,)."""
    if days < 1:
        raise CoordinatorError("days", "a window", "be 1 or more", days)
    return {
        **performance_series(run, days),
        **execution_series(run, days),
        **health_series(run, days),
        **portfolio_series(run, days),
        **improvement_series(run, days),
    }


def summarise(
    run: RunData,
    days: int = WINDOW_DAYS,
    end: datetime | None = None,
    correlations: pd.DataFrame | None = None,
    series: Mapping[Key, Floats] | None = None,
) -> RollingReport:
    """The window's report; raises as :func:`read_rolling`.

    Parameters
    ----------
    correlations : pandas.DataFrame, optional
        Stored values of the portfolio's correlation (``Ledger.metrics``): the ledger has no prices to work them out.
    series : mapping, optional
        As :func:`rolling_series` of the same run and days gives it, if it is at hand.
    """
    known = run.days if end is None else run.days[run.days + 1 <= end.timestamp() // SECONDS_PER_DAY]
    if not len(known):
        raise CoordinatorError(
            "run", f"{run.strategy}, run {run.run_id}", "have signals or trades by then", "none"
        )
    day, until = len(known) - 1, int(known[-1] + 1) * SECONDS_PER_DAY
    values = dict(rolling_series(run, days) if series is None else series)
    if correlations is not None and len(correlations):
        values |= stored_correlation(run, correlations)

    def of(arm: str, metric: Metric) -> float:
        column = values.get((arm, metric.name, ""))
        return float("nan") if column is None else float(column[day])

    metrics = tuple(
        MetricValue(metric, *(of(arm, metric) for arm in (ML, BASELINE, ACCOUNT))) for metric in METRICS
    )
    tables = (
        _slippage(values, day),
        confidence_table(values, day),
        importance_table(run.models, until),
        skill_table(run, until, days),
        model_table(run.models, until),
        regime_table(run, until, days),
        reward_risk_table(run, until, days),
        filter_table(run, until, days),
        portfolio_table(values, day),
        threshold_table(run, until, days),
        score_table(run, until, days),
        size_table(run, until, days),
        with_and_without_table(run, until, days),
    )
    at = datetime.fromtimestamp(until, tz=UTC)
    return RollingReport(run.run_id, run.strategy, days, at, metrics, tuple(t for t in tables if t.rows))


@dataclass(frozen=True)
class RollingView:
    """The newest window of a run, and the series it comes from, for charts.

    Attributes
    ----------
    report : RollingReport
    ends : pandas.DatetimeIndex, the midnight at which each window ends, shape (n_days,)
    series : mapping of (arm, metric, subject) to values, shape (n_days,)
    """

    report: RollingReport
    ends: pd.DatetimeIndex
    series: Mapping[Key, Floats]


def view_rolling(
    ledger: Ledger,
    run_id: int | None = None,
    candles: Mapping[str, pd.DataFrame] | None = None,
    since: int = 0,
) -> RollingView | None:
    """A run's metrics over time; None where it knows nothing.

    Parameters
    ----------
    candles : mapping of pair to pandas.DataFrame, optional
        date (UTC, open) and close: then the portfolio's correlation is among the metrics, and all of them are written
        into the ledger.
    since : int
        Seconds since the epoch: windows that end up to then are left out.
    """
    run = load_run(ledger, run_id)
    shown = (run.days + 1) * SECONDS_PER_DAY > since
    if not shown.any():
        return None
    series = rolling_series(run)
    if candles is not None:
        series |= portfolio_correlation(run, candles, WINDOW_DAYS)
        ledger.write_metrics(run.run_id, metric_rows(run, series, since))
    ends = pd.to_datetime((run.days[shown] + 1) * SECONDS_PER_DAY, unit="s", utc=True)
    report = summarise(run, series=series)
    return RollingView(report, ends, {key: values[shown] for key, values in series.items()})


def stored_correlation(run: RunData, stored: pd.DataFrame) -> dict[Key, Floats]:
    """The portfolio's correlation as a backtest stored it (``Ledger.metrics``), by day; NaN where it did not."""
    ends = (run.days + 1) * SECONDS_PER_DAY
    by_end = pd.Series(stored["value"].to_numpy(), index=stored["time"].dt.as_unit("s").astype("int64"))
    return {(ACCOUNT, CORRELATION, ""): by_end.reindex(ends).to_numpy(dtype=np.float64)}


def metric_rows(run: RunData, series: Mapping[Key, Floats], since: int = 0) -> list[MetricRow]:
    """The series as rows for the ledger, from the windows on that end after a moment (seconds since the epoch).

    Of a subject, undefined values are left out.
    """
    ends = ((run.days + 1) * SECONDS_PER_DAY).tolist()
    return [
        MetricRow(end, arm, metric, subject, value)
        for (arm, metric, subject), values in series.items()
        for end, value in zip(ends, values.tolist(), strict=True)
        if end > since and (value == value or not subject)
    ]


def _slippage(series: Mapping[Key, Floats], day: int) -> MetricTable:
    pairs = sorted({subject for _, metric, subject in series if metric == "entry_slippage" and subject})
    rows = [
        (pair, [float(series[ACCOUNT, metric, pair][day]) for metric in ("entry_slippage", "exit_slippage")])
        for pair in pairs
    ]
    known = [(pair, cells) for pair, cells in rows if not all(cell != cell for cell in cells)]
    return MetricTable(
        "9 Slippage by pair, positive is worse", ("Pair", "Entries", "Exits"), ("percent",) * 2, known
    )
