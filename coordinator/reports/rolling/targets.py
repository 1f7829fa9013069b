"""The metrics by name: what each is called, its unit, and the target that spec 001 documents."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["ACCOUNT", "BASELINE", "METRICS", "ML", "PRIMARY", "Key", "Metric", "verdict"]

ML, BASELINE, ACCOUNT = "ml", "baseline", "all"
"""Arms of ``metric_history``: ML's gate, the baseline's gate, and what was traded or is of the run as a whole."""
Key = tuple[str, str, str]
"""Arm, metric, subject (a pair, model, regime, sector or improvement; empty for the whole)."""


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes
    ----------
    name : in ``metric_history``
    label : in tables
    unit : "percent" (a ratio), "number", "minutes", "ms"
    target : what is to be exceeded, or with ``below`` to be stayed under; None where the document has none
    """

    name: str
    label: str
    unit: str
    target: float | None = None
    below: bool = False

    @property
    def target_text(self) -> str:
        """E.g. ``> 55%``; empty without a target."""
        if self.target is None:
            return ""
        number = f"{self.target:.0%}" if self.unit == "percent" else f"{self.target:g}"
        return f"{'<' if self.below else '>'} {number}{' ms' if self.unit == 'ms' else ''}"


PRIMARY = (
    Metric("accuracy", "1 Accuracy", "percent", 0.55),
    Metric("sharpe", "2 Sharpe ratio", "number", 1.5),
    Metric("win_rate", "3 Win rate", "percent", 0.52),
    Metric("profit_factor", "4 Profit factor", "number", 1.8),
    Metric("max_drawdown", "5 Max drawdown", "percent", 0.05, below=True),
)
SECONDARY = (
    Metric("hit_rate", "6 Hit rate: signals that became trades", "percent"),
    Metric("trade_frequency", "7 Trades a day", "number"),
    Metric("hold_minutes", "8 Average hold time", "minutes"),
    Metric("entry_slippage", "9 Slippage of entries", "percent"),
    Metric("exit_slippage", "9 Slippage of exits", "percent"),
    Metric("latency_ms", "10 Latency of predictions, slowest model's p99", "ms", 50.0, below=True),
)
HEALTH = (
    Metric("confidence_p50", "11 Confidence of ML, median", "percent"),
    Metric("model_feature_drift", "13 Model drift: largest PSI of a newest model's inputs", "number"),
    Metric("calibration_error", "14 Calibration error (ECE) of the win probability", "percent"),
    Metric("model_gap", "15 Overfitting: largest train-test gap of a newest model", "percent"),
)
METRICS = (*PRIMARY, *SECONDARY, *HEALTH)


def verdict(metric: Metric, value: float) -> str:
    """ "met", "not met", or "unknown": where the value is NaN; empty without a target.

    Examples
    --------
    >>> [verdict(PRIMARY[0], value) for value in (0.56, 0.55, float("nan"))]
    ['met', 'not met', 'unknown']
    """
    if metric.target is None:
        return ""
    if math.isnan(value):
        return "unknown"
    return "met" if (value < metric.target if metric.below else value > metric.target) else "not met"
