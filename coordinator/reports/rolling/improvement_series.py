"""Spec 003 over time: reward:risk by market, thresholds and their mistakes, size adjustments; arrays of (n_days,)."""

from __future__ import annotations

import numpy as np

from coordinator.reports.rolling.daily import by_day, ratio, rolling_sum
from coordinator.reports.rolling.improvements import SIZES, reward_risk, size_factor
from coordinator.reports.rolling.run_data import NEVER, RunData
from coordinator.reports.rolling.targets import ACCOUNT, Key
from coordinator.types import SECONDS_PER_DAY, Bools, Floats, Ints

__all__ = ["improvement_series"]


def improvement_series(run: RunData, length: int) -> dict[Key, Floats]:
    """At the end of every day.

    - ``reward_risk`` and ``regime_win_rate`` by market condition: means over the window's signals and outcomes
    - ``threshold`` by pair: of its last signal
    - ``false_positives``, ``false_negatives`` by pair and over all: see ``threshold_table``
    - ``size_adjustment`` by improvement: mean of adjusted over base
    """
    frame, days = run.decisions, run.days
    regime, pairs = (frame[name].to_numpy(dtype=object) for name in ("regime", "pair"))
    r = frame["outcome_r"].to_numpy()

    def mean(values: Floats | Bools, of: Bools, moments: Ints) -> Floats:
        known = of & ~np.isnan(values) & (moments != NEVER)
        total = by_day(days, moments, np.where(known, values, 0.0))
        return ratio(rolling_sum(total, length), rolling_sum(by_day(days, moments, known), length))

    out: dict[Key, Floats] = {}
    rr, known = reward_risk(run), ~np.isnan(r)
    for name in sorted(set(regime.tolist()) - {""}):
        own = regime == name
        out[ACCOUNT, "reward_risk", name] = mean(rr, own, run.decided_at)
        out[ACCOUNT, "regime_win_rate", name] = mean(r > 0, own & known, run.resolved_at)
    confidence, threshold = (
        frame[name].to_numpy(dtype=np.float64) for name in ("unified_confidence", "threshold")
    )
    compared = known & run.could_be_taken & ~np.isnan(confidence) & ~np.isnan(threshold)
    met = confidence >= threshold
    for name in ("", *sorted(set(pairs.tolist()))):
        own = compared & ((pairs == name) | (name == ""))
        out[ACCOUNT, "false_positives", name] = mean(r <= 0, own & met, run.resolved_at)
        out[ACCOUNT, "false_negatives", name] = mean(r > 0, own & ~met, run.resolved_at)
        if name:
            out[ACCOUNT, "threshold", name] = _last(run, pairs == name, threshold)
    for name in SIZES:
        rows = run.improved[run.improved["name"] == name]
        if len(rows):
            factor, at = size_factor(rows), rows["at"].to_numpy()
            out[ACCOUNT, "size_adjustment", name] = mean(factor, np.ones(len(rows), dtype=bool), at)
    return out


def _last(run: RunData, own: Bools, values: Floats) -> Floats:
    """The value of the last of some signals at each day's end; NaN before the first."""
    decided = run.decided_at[own]
    last = np.searchsorted(decided, (run.days + 1) * SECONDS_PER_DAY, side="right")
    return np.concatenate(([np.nan], values[own]))[last]
