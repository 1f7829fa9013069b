"""A pair's decisions as columns of its frame: entries for Freqtrade, and what FreqUI plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from coordinator.decision.decisions import Decisions
from coordinator.decision.voting import COMPONENTS
from coordinator.run.entry_tags import enter_tags
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.settings import Settings
from coordinator.types import Floats

__all__ = ["PLOT_CONFIG", "entry_columns", "merge_columns", "plot_columns"]

ENTRIES = ("enter_long", "enter_short")

_SCATTER = {"type": "scatter"}
_COLORS = {"technical": "blue", "lstm": "red", "fusion": "green", "selector": "orange", "attention": "purple"}
_COLORS |= {"quality": "black"}
PLOT_CONFIG: dict[str, Any] = {
    "main_plot": {"trend_ma": {"color": "orange"}, "exit_ma": {"color": "gray"}},
    "subplots": {
        "score": {"technical_score": {"color": "blue"}, "fusion_score": {"color": "green"}},
        "votes": {f"{name}_vote": {"color": color, **_SCATTER} for name, color in _COLORS.items()},
        "say": {f"{name}_share": {"color": color, **_SCATTER} for name, color in _COLORS.items()},
        "decision": {
            "unified_confidence": {"color": "purple", **_SCATTER},
            "threshold": {"color": "gray", **_SCATTER},
            "ml_weight": {"color": "red", **_SCATTER},
        },
        "phase": {"ml_phase": {"color": "gray", **_SCATTER}},
        "expectation": {
            "win_probability": {"color": "blue", **_SCATTER},
            "expected_r": {"color": "green", **_SCATTER},
        },
    },
}


def entry_columns(
    analysis: PairAnalysis, decided: Decisions, settings: Settings, *, can_short: bool
) -> dict[str, Any]:
    """enter_long, enter_short where shorts exist, and enter_tag; shape (n_candles,) each.

    Parameters
    ----------
    decided : Decisions
        On the pair's own signals, in their order.
    """
    accepted = decided.accepted
    entered = analysis.index[accepted]
    side = np.zeros(len(analysis.candles), dtype=np.int64)
    side[entered] = analysis.direction[accepted]
    tags = np.full(len(side), None, dtype=object)
    tags[entered] = enter_tags(analysis, decided, settings)
    columns: dict[str, Any] = {"enter_long": (side > 0).astype(int), "enter_tag": tags}
    if can_short:
        columns["enter_short"] = (side < 0).astype(int)
    return columns


def merge_columns(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One pair's columns of several clocks as one: of a candle, those of the clock with a signal there."""
    merged = dict(parts[0])
    for part in parts[1:]:
        for name, values in part.items():
            empty = pd.isna(merged[name]) if name not in ENTRIES else merged[name] == 0
            merged[name] = np.where(empty, values, merged[name])
    return merged


def plot_columns(analysis: PairAnalysis, decided: Decisions) -> dict[str, Floats]:
    """What each signal was decided on, NaN between signals; shape (n_candles,) each.

    Votes are percentiles, shares each component's part of the unified score, the phase its number in ``PHASES`` (0
    foundation to 4 optimization; NaN with a fixed weight).
    """
    values = {f"{name}_vote": decided.of(name) for name in COMPONENTS}
    values |= {f"{name}_share": decided.share[:, i] for i, name in enumerate(COMPONENTS)}
    values |= {"ml_phase": np.where(decided.phase < 0, np.nan, decided.phase)}
    values |= {"unified_confidence": decided.confidence, "threshold": decided.threshold}
    values |= {"ml_weight": decided.ml_weight, "win_probability": decided.win_probability}
    values |= {"expected_r": decided.expected_r}
    out = {}
    for name, column in values.items():
        shown = np.full(len(analysis.candles), np.nan)
        shown[analysis.index] = column
        out[name] = shown
    return out
