"""Spec 003: what was held together, at the end of every day: sectors, and how alike the pairs moved."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coordinator.portfolio.sectors import sector_of
from coordinator.reports.rolling.daily import by_day, rolling_sum, windows
from coordinator.reports.rolling.run_data import NEVER, RunData
from coordinator.reports.rolling.table import MetricTable, Rows
from coordinator.reports.rolling.targets import ACCOUNT, Key
from coordinator.settings import Settings
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = [
    "CONCENTRATION",
    "CORRELATION",
    "FOUND",
    "portfolio_correlation",
    "portfolio_series",
    "portfolio_table",
]

LEAST_RETURNS = 10
FOUND, CONCENTRATION, CORRELATION = "correlated_positions", "sector_concentration", "portfolio_correlation"


def portfolio_series(run: RunData, length: int) -> dict[Key, Floats]:
    """Shape (n_days,).

    - ``sector_share`` by sector, and ``sector_concentration``, the largest: share of the positions at the day's end
      (``improvements.correlation_filter.sectors``; a coin in none stands for itself); NaN without positions
    - ``correlated_positions``: mean number of correlated positions that the correlation filter found at an entry
    - ``filtered``: entries that each limit refused, by its name
    """
    opened = _open_by_sector(run)
    total = np.sum(list(opened.values()), axis=0) if opened else np.zeros(len(run.days))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {name: count / total for name, count in opened.items()}
    out: dict[Key, Floats] = {(ACCOUNT, "sector_share", name): values for name, values in shares.items()}
    nothing = np.full(len(run.days), np.nan)
    out[ACCOUNT, CONCENTRATION, ""] = np.fmax.reduce([nothing, *shares.values()])
    checks = run.improved[run.improved["name"] == "correlation_filter"]
    at, found = checks["at"].to_numpy(), checks["adjusted"].to_numpy(dtype=np.float64)
    counts = [rolling_sum(by_day(run.days, at, values), length) for values in (found, None)]
    with np.errstate(divide="ignore", invalid="ignore"):
        out[ACCOUNT, FOUND, ""] = counts[0] / counts[1]
    for name in ("correlation_filter", "sector_limit", "ranking"):
        own = run.improved[run.improved["name"] == name]
        refused = (own["adjusted"] >= own["base"]).to_numpy() | (name == "ranking")
        out[ACCOUNT, "filtered", name] = rolling_sum(by_day(run.days, own["at"].to_numpy(), refused), length)
    return out


def portfolio_correlation(
    run: RunData, candles: Mapping[str, pd.DataFrame], length: int
) -> dict[Key, Floats]:
    """Mean correlation of the pairs held at each day's end, of the window's daily returns; NaN for fewer than two.

    The ledger has no prices, so this needs candles: ``coordinator backtest`` works it out and stores it.

    Parameters
    ----------
    candles : mapping of pair to pandas.DataFrame
        date (UTC, open) and close. A pair with fewer than ten returns in the window is left out.
    """
    out = np.full(len(run.days), np.nan)
    ends = (run.days + 1) * SECONDS_PER_DAY
    pairs = sorted(set(run.trades["pair"]) & set(candles))
    returns = {pair: windows(_daily_returns(candles[pair], run), length) for pair in pairs}
    trades = run.trades["pair"].to_numpy(dtype=object)
    for day, end in enumerate(ends.tolist()):
        held = (run.opened_at <= end) & (run.closed_at > end)
        names = [pair for pair in pairs if pair in set(trades[held].tolist())]
        kept = [returns[pair][day] for pair in names]
        kept = [row for row in kept if np.isfinite(row).sum() >= LEAST_RETURNS and np.nanstd(row) > 0]
        if len(kept) > 1:
            matrix = pd.DataFrame(np.array(kept).T).corr(min_periods=LEAST_RETURNS).to_numpy()
            out[day] = np.nanmean(matrix[np.triu_indices(len(kept), 1)])
    return {(ACCOUNT, CORRELATION, ""): out}


def portfolio_table(series: Mapping[Key, Floats], day: int) -> MetricTable:
    """Sectors and correlation at the window's end."""
    rows: Rows = [
        (f"sector {subject}", [float(values[day])])
        for (_, metric, subject), values in series.items()
        if metric == "sector_share" and values[day] > 0
    ]
    names = {
        CONCENTRATION: "largest sector's share of the positions",
        FOUND: "correlated positions found at an entry, mean",
        CORRELATION: "mean correlation of the pairs held",
    }
    rows += [
        (label, [float(series[ACCOUNT, metric, ""][day])])
        for metric, label in names.items()
        if (ACCOUNT, metric, "") in series
    ]
    return MetricTable("Portfolio at the end of the window", ("", "Value"), ("number",), rows)


def _open_by_sector(run: RunData) -> dict[str, Floats]:
    """Open positions at each day's end by sector."""
    default = Settings().improvements.correlation_filter.sectors
    stored = (run.settings.get("improvements") or {}).get("correlation_filter") or {}
    sectors = {name: tuple(coins) for name, coins in (stored.get("sectors") or default).items()}
    pairs = run.trades["pair"].tolist()
    of = np.array([sector_of(pair, sectors) or pair.split("/")[0] for pair in pairs], dtype=object)
    out: dict[str, Floats] = {}
    for name in sorted(set(of.tolist())):
        own = of == name
        opened, closed = (
            np.cumsum(by_day(run.days, np.where(own, moments, NEVER)))
            for moments in (run.opened_at, run.closed_at)
        )
        out[name] = opened - closed
    return out


def _daily_returns(candles: pd.DataFrame, run: RunData) -> Floats:
    """Log return of each day of the run, from the last close of the day before; NaN where either is missing."""
    day = candles["date"].dt.as_unit("s").astype("int64").to_numpy() // SECONDS_PER_DAY
    closes = pd.Series(candles["close"].to_numpy(dtype=np.float64), index=day).groupby(level=0).last()
    logs = np.log(closes.reindex(np.arange(run.days[0] - 1, run.days[-1] + 1)).to_numpy())
    return np.asarray(np.diff(logs), dtype=np.float64)
