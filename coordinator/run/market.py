"""All pairs' analyses side by side: their signals as one table, their prices and returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coordinator.decision.table import SignalTable
from coordinator.portfolio.correlation import ReturnPanel
from coordinator.run.pair_analysis import PairAnalysis
from coordinator.run.signal_table import Arrays, build_signal_table, in_table_order
from coordinator.settings import Settings
from coordinator.signals.breaks import find_breaks
from coordinator.signals.clock import pair_of
from coordinator.types import Bools

__all__ = ["AnalysedMarket"]


class AnalysedMarket:
    """Holds the newest analysis of each series: a pair, or a pair on one of several clocks.

    Everything derived from them is computed once until the next ``put``.

    Attributes
    ----------
    version : counts the analyses put, so that others know when what they derived is out of date
    """

    def __init__(self) -> None:
        self.version = 0
        self._analyses: dict[str, PairAnalysis] = {}
        self._signals: SignalTable | None = None
        self._arrays: dict[str, Arrays] = {}  # the series' parts of the signals, under these settings
        self._settings: Settings | None = None
        self._returns: ReturnPanel | None = None

    @property
    def analyses(self) -> Mapping[str, PairAnalysis]:
        """Series to its analysis."""
        return self._analyses

    def put(self, analysis: PairAnalysis) -> None:
        """Add or replace a series' analysis."""
        self._analyses[analysis.series] = analysis
        self._arrays.pop(analysis.series, None)
        self._signals = self._returns = None
        self.version += 1

    def analysis(self, series: str) -> PairAnalysis:
        """A series' analysis, of a pair's name that on the slowest clock; KeyError where it was never put."""
        return self._analyses[series]

    def of_pair(self, pair: str) -> list[PairAnalysis]:
        """A pair's analyses, one for each clock, the slowest first."""
        return [analysis for analysis in self._analyses.values() if analysis.pair == pair]

    def signals(self, settings: Settings) -> SignalTable:
        """All signals, sorted by time, then pair name: the order in which pairs were put changes nothing."""
        if self._signals is None:
            if settings is not self._settings:
                self._arrays, self._settings = {}, settings
            self._signals = build_signal_table(self._analyses, settings, self._arrays)
        return self._signals

    def rows_of(self, series: str, settings: Settings) -> Bools:
        """Mask of ``signals()`` that selects a series' own, in its own order."""
        signals = self.signals(settings)
        rows: Bools = signals.pair == signals.pairs.index(series)
        return rows

    def row_at(self, pair: str, time: int, settings: Settings) -> int | None:
        """Row of ``signals()`` of a pair's signal at a candle, on whatever clock; None without one."""
        signals = self.signals(settings)
        first, last = np.searchsorted(signals.time, (time, time + 1)).tolist()
        codes = [i for i, name in enumerate(signals.pairs) if pair_of(name) == pair]
        rows = [row for row in range(first, last) if signals.pair[row] in codes]
        return rows[0] if rows else None

    def slot_terms(self, pair: str, time: int) -> tuple[float, ...]:
        """What the policy that divides the slots says of a pair's signal at a candle; empty where it says nothing."""
        analysis = self._analyses[pair]
        if analysis.slot_terms is None:
            return ()
        row = int(np.searchsorted(analysis.candles.time[analysis.index], time))
        terms = analysis.slot_terms[row]
        return tuple(terms.tolist()) if np.isfinite(terms).all() else ()

    def absence_reasons(self, settings: Settings) -> dict[str, npt.NDArray[np.object_]]:
        """Why each component did not vote, one text per signal of ``signals()``; empty where it did."""
        names = {name for analysis in self._analyses.values() for name in analysis.absence_reasons}

        def of_pair(name: str) -> Callable[[PairAnalysis], npt.NDArray[Any]]:
            return lambda a: a.absence_reasons.get(name, np.full(len(a.index), "", dtype=object))

        signals = self.signals(settings)
        return {name: in_table_order(self._analyses, signals, of_pair(name)) for name in sorted(names)}

    # --- prices (``coordinator.portfolio.market_prices``) -----------------------------------------------------

    def last_candle(self) -> int:
        """Open time of the newest candle analysed; 0 without any."""
        return max((int(a.candles.time[-1]) for a in self._analyses.values() if len(a.candles)), default=0)

    def close_at(self, pair: str, time: int) -> float | None:
        """Close of a pair's last candle that opened at ``time`` or before; None where there is none."""
        analysis = self._analyses.get(pair)
        if analysis is None:
            return None
        row = int(analysis.candles.time.searchsorted(time, side="right")) - 1
        return float(analysis.candles.close[row]) if row >= 0 else None

    def returns(self) -> ReturnPanel:
        """All pairs' returns side by side."""
        if self._returns is None:
            closes = {a.pair: (a.candles.time, a.candles.close) for a in self._analyses.values()}
            breaks = {a.pair: a.candles.time[find_breaks(a.candles).marks] for a in self._analyses.values()}
            self._returns = ReturnPanel.from_closes(closes, breaks)
        return self._returns
