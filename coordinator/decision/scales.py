"""Every series of confidences that is ranked, by pair: the fold's memory of what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coordinator.decision.percentile import causal_percentile
from coordinator.decision.rank_window import RankWindow
from coordinator.decision.table import SignalTable
from coordinator.decision.voting import Votes
from coordinator.settings import DecisionSettings
from coordinator.types import Floats

__all__ = ["STATIC", "Scales", "support"]

STATIC = ("technical", "lstm", "fusion", "attention", "quality")
"""Series whose scores do not depend on what was learned: their percentiles can be had for all signals at once."""

LOW = {"technical": 0.0, "quality": 0.0, "unified": 0.0, "ml": 0.0}
"""Least value of a series; components other than the baseline may vote against a signal, down to -1."""


def support(table: SignalTable, name: str, settings: DecisionSettings) -> Floats:
    """How strongly a component backs each signal, shape (n,); NaN where it is absent.

    On the percentile scale its conviction in the signal's direction, -1..1; on the raw scale its confidence where
    it agrees, else 0.
    """
    if name == "quality":
        return table.quality
    vote = (table.votes.get(name) or Votes.absent(len(table))).present()
    if settings.confidence_scale == "raw":
        return np.clip(table.direction * vote.direction, 0, None) * vote.confidence
    return table.direction * vote.score


class Scales:
    """Rank windows by pair and series, made when first asked for."""

    def __init__(self, settings: DecisionSettings) -> None:
        self.settings = settings
        self._windows: dict[tuple[str, str], RankWindow] = {}

    def window(self, pair: str, series: str) -> RankWindow:
        """The window of a series ("unified", "ml" or a component) of a pair."""
        found = self._windows.get((pair, series))
        if found is None:
            s = self.settings
            found = RankWindow(s.percentile_window, s.percentile_prior, low=LOW.get(series, -1.0))
            self._windows[pair, series] = found
        return found

    def one_by_one(self, table: SignalTable, name: str) -> Floats:
        """Percentiles of a static series, shape (n,); its windows take each value in."""
        values = support(table, name, self.settings)
        if self.settings.confidence_scale == "raw":
            return values
        ranked = [
            self.window(pair, name).push(x) if x == x else x
            for pair, x in zip(table.names(), values.tolist(), strict=True)
        ]
        return np.array(ranked, dtype=np.float64)

    def all_at_once(self, table: SignalTable, name: str) -> Floats:
        """The same for a whole table, vectorised."""
        s, values = self.settings, support(table, name, self.settings)
        if s.confidence_scale == "raw":
            return values
        out = np.full(len(table), np.nan)
        for index, pair in enumerate(table.pairs):
            mine = np.flatnonzero(table.pair == index)
            window = self.window(pair, name)
            seen = np.array(window.values)
            series = np.concatenate((seen, values[mine]))
            time = np.arange(-len(seen), len(mine))
            ranked = causal_percentile(
                time, series, window=s.percentile_window, prior=s.percentile_prior, low=window.low
            )
            out[mine] = ranked[len(seen) :]
            present = series[~np.isnan(series)][-s.percentile_window :]
            self._windows[pair, name] = RankWindow(
                s.percentile_window, s.percentile_prior, low=window.low, values=present.tolist()
            )
        return out

    def state(self) -> list[dict[str, Any]]:
        """JSON types; ``restore`` gives it back to the bit."""
        return [
            {"pair": pair, "series": series, "values": window.values}
            for (pair, series), window in sorted(self._windows.items())
            if len(window)
        ]

    def restore(self, state: list[Mapping[str, Any]]) -> None:
        """Take back what ``state`` gave."""
        s = self.settings
        self._windows = {
            (x["pair"], x["series"]): RankWindow(
                s.percentile_window, s.percentile_prior, low=LOW.get(x["series"], -1.0), values=x["values"]
            )
            for x in state
        }
