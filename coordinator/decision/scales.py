"""Every series of confidences that is ranked, by pair: the fold's memory of what is usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from coordinator.decision.percentile import causal_percentile
from coordinator.decision.rank_window import RankWindow
from coordinator.decision.table import SignalTable
from coordinator.decision.voting import Votes
from coordinator.settings.decision import COMPONENTS, DecisionSettings
from coordinator.types import Floats

__all__ = ["STATIC", "PercentileScales", "support"]

STATIC = tuple(name for name in COMPONENTS if name != "selector")
"""Series whose scores do not depend on what was learned: their percentiles can be had for all signals at once."""

LOW = {"technical": 0.0, "quality": 0.0, "unified": 0.0, "ml": 0.0}
"""Least value of a series; components other than the baseline may vote against a signal, down to -1."""


def support(table: SignalTable, name: str, settings: DecisionSettings) -> Floats:
    """How strongly a component backs each signal, shape (n,); NaN where it is absent.

    On the percentile scale its conviction in the signal's direction, -1..1; on the raw scale its confidence where
    it agrees, else 0.
    """
    vote = (table.votes.get(name) or Votes.absent(len(table))).present()
    if settings.confidence_scale == "raw":
        return np.clip(table.direction * vote.direction, 0, None) * vote.confidence
    return table.direction * vote.score


class PercentileScales:
    """Rank windows by series ("unified", "ml" or a component) and pair, made when first needed."""

    def __init__(self, settings: DecisionSettings) -> None:
        self.settings = settings
        self._windows: dict[str, dict[str, RankWindow]] = {}

    def push(self, series: str, pairs: Sequence[str], values: Floats) -> Floats:
        """Percentile of each value in its pair's window, shape (n,); the windows take the values in.

        On the raw scale the values themselves. NaN stays NaN and leaves no trace.
        """
        if self.settings.confidence_scale == "raw":
            return values
        windows = self._windows.setdefault(series, {})
        for pair in {*pairs} - windows.keys():
            windows[pair] = self._window(series)
        ranked = [
            windows[pair].push(value) if value == value else value
            for pair, value in zip(pairs, values.tolist(), strict=True)
        ]
        return np.array(ranked, dtype=np.float64)

    def _window(self, series: str, values: Iterable[float] = ()) -> RankWindow:
        s = self.settings
        low = LOW.get(series, -1.0)
        return RankWindow(s.percentile_window, s.percentile_prior, low=low, values=values)

    def live_percentiles(self, table: SignalTable, name: str) -> Floats:
        """Percentiles of a static series, shape (n,); its windows take each value in."""
        return self.push(name, table.names(), support(table, name, self.settings))

    def batch_percentiles(self, table: SignalTable, name: str) -> Floats:
        """The same for a whole table, vectorised."""
        s, values = self.settings, support(table, name, self.settings)
        if s.confidence_scale == "raw":
            return values
        out = np.full(len(table), np.nan)
        if np.isnan(values).all():
            return out
        windows = self._windows.setdefault(name, {})
        for index, pair in enumerate(table.pairs):
            own = np.flatnonzero(table.pair == index)
            window = windows.get(pair) or self._window(name)
            remembered = np.array(window.values)
            series = np.concatenate((remembered, values[own]))
            time = np.arange(-len(remembered), len(own))
            ranked = causal_percentile(
                time, series, window=s.percentile_window, prior=s.percentile_prior, low=window.low
            )
            out[own] = ranked[len(remembered) :]
            present = series[~np.isnan(series)][-s.percentile_window :]
            windows[pair] = self._window(name, present.tolist())
        return out

    def state(self) -> list[dict[str, Any]]:
        """JSON types; ``restore`` gives it back to the bit."""
        return [
            {"pair": pair, "series": series, "values": window.values}
            for pair, series, window in sorted(
                (pair, series, window)
                for series, windows in self._windows.items()
                for pair, window in windows.items()
                if len(window)
            )
        ]

    def restore(self, state: list[Mapping[str, Any]]) -> None:
        """Take back what ``state`` gave."""
        self._windows = {}
        for part in state:
            window = self._window(part["series"], part["values"])
            self._windows.setdefault(part["series"], {})[part["pair"]] = window
