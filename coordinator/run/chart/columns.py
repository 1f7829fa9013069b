"""Columns of a pair's frame that FreqUI plots and lists, with as many digits as one reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from coordinator.decision.decisions import Decisions
from coordinator.decision.voting import COMPONENTS
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings.signals import BaselineSettings
from coordinator.types import Floats

__all__ = ["decision_columns", "held", "indicator_columns", "rounded_price"]

DIGITS = 6  # of a price
HELD = ("threshold", "ml_weight", "ml_phase")


def rounded_price(values: Floats) -> Floats:
    """Prices with six digits each, or whole ones above; NaN stays NaN. No price is rounded by another one."""
    size = np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)
    scale = 10.0 ** np.maximum(DIGITS - 1 - np.floor(np.log10(size)), 0)
    rounded: Floats = np.round(values * scale) / scale
    return rounded


def indicator_columns(analysis: PairAnalysis, settings: BaselineSettings) -> dict[str, Any]:
    """The baseline's score and direction, its averages, and the prices at which it enters and leaves.

    ``entry_high`` and ``entry_low`` are what a close must go beyond to be a breakout, ``exit_low`` and ``exit_high``
    what it must go beyond to leave a long or a short; shape (n_candles,) each.

    Parameters
    ----------
    settings : on the analysis' clock
    """
    technical, ind = analysis.technical, analysis.technical.indicators
    prices = {
        "trend_ma": ind.trend_ma,
        "exit_ma": ind.exit_ma,
        "entry_high": ind.fast_high * (1 + settings.fast_clearance),
        "entry_low": ind.fast_low * (1 - settings.fast_clearance),
        "exit_high": ind.exit_high,
        "exit_low": ind.exit_low,
    }
    return {
        "technical_score": np.round(technical.score, 3),
        "technical_direction": technical.direction,
        "technical_signal": technical.signal,
        "fusion_score": np.round(analysis.fusion.score, 3),
        **{name: rounded_price(values) for name, values in prices.items()},
    }


def decision_columns(analysis: PairAnalysis, decided: Decisions) -> dict[str, Floats]:
    """What each signal was decided on, NaN between signals; shape (n_candles,) each.

    Votes are percentiles, NaN where the component had no say; shares each component's part of the unified score, the
    phase its number in ``PHASES`` (0 foundation to 4 optimization; NaN with a fixed weight).
    """
    says = decided.share > 0
    values = {f"{name}_vote": np.where(says[:, i], decided.of(name), np.nan) for i, name in _NAMED}
    values |= {f"{name}_share": decided.share[:, i] for i, name in _NAMED}
    values |= {"ml_phase": np.where(decided.phase < 0, np.nan, decided.phase)}
    values |= {"unified_confidence": decided.confidence, "threshold": decided.threshold}
    values |= {"ml_weight": decided.ml_weight, "win_probability": decided.win_probability}
    values |= {"expected_r": decided.expected_r}
    out = {}
    for name, column in values.items():
        shown = np.full(len(analysis.candles), np.nan)
        shown[analysis.index] = np.round(column, 3)
        out[name] = shown
    return out


def held(columns: dict[str, Any]) -> dict[str, Any]:
    """Gate, weight and phase of the last signal hold until the next one: lines, not dots, once clocks are merged."""
    return columns | {name: _filled(columns[name]) for name in HELD if name in columns}


def _filled(values: Floats) -> Floats:
    rows = np.where(np.isfinite(values), np.arange(len(values)), -1)
    last = np.maximum.accumulate(rows)
    return np.where(last >= 0, values[np.maximum(last, 0)], np.nan)


_NAMED = tuple(enumerate(COMPONENTS))
