"""All pairs' signals side by side, decided together once every pair has been analysed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.adapters.analysis import PairAnalysis
from coordinator.decision.engine import Decisions, Signals, decide
from coordinator.decision.outcomes import EXITS, resolve_outcomes
from coordinator.decision.voting import COMPONENTS, Votes
from coordinator.settings import Settings
from coordinator.types import Floats

__all__ = ["SignalBoard", "SignalTable"]


@dataclass(frozen=True)
class SignalTable:
    """The signals of all pairs in time order, ready for the engine.

    ``row`` is the position among its own pair's signals; ``pairs`` are the names ``signals.pair`` indexes.
    """

    pairs: tuple[str, ...]
    signals: Signals
    votes: dict[str, Votes]


class SignalBoard:
    """Collects the pairs' analyses and decides on all their signals.

    In a backtest every pair is put before the first decision is asked for; live, a pair's new candle replaces its
    old analysis and the next question decides anew. Pickles with the strategy (hyperopt sends it to its workers).
    """

    def __init__(self, can_short: bool) -> None:
        self._can_short = can_short
        self._pairs: dict[str, PairAnalysis] = {}
        self._table: SignalTable | None = None
        self._decisions: Decisions | None = None
        self._key: Settings | None = None

    def put(self, analysis: PairAnalysis) -> None:
        """Set a pair's analysis."""
        self._pairs[analysis.pair] = analysis
        self._table = self._decisions = None

    def analysis(self, pair: str) -> PairAnalysis:
        """A pair's analysis; KeyError where it was never put."""
        return self._pairs[pair]

    def table(self) -> SignalTable:
        """All signals, sorted by time, then pair name: the order in which pairs were put changes nothing."""
        if self._table is None:
            self._table = _build_table(dict(sorted(self._pairs.items())))
        return self._table

    def decisions(self, settings: Settings) -> Decisions:
        """Decisions on ``table()``'s signals; computed once per set of analyses and settings."""
        if self._decisions is None or self._key != settings:
            table = self.table()
            self._decisions = decide(table.signals, table.votes, settings.decision, can_short=self._can_short)
            self._key = settings
        return self._decisions

    def of_pair(self, pair: str, values: npt.NDArray) -> npt.NDArray:  # type: ignore[type-arg]
        """Entries of an array over ``table()`` that belong to a pair, in its own order."""
        table = self.table()
        return np.asarray(values[table.signals.pair == table.pairs.index(pair)])

    def ledger_frame(self, settings: Settings) -> pd.DataFrame:
        """One row per signal, as ``coordinator.ledger`` stores it."""
        table, decisions = self.table(), self.decisions(settings)
        parts = [_pair_rows(analysis, settings) for _, analysis in sorted(self._pairs.items())]
        frame = pd.concat(parts, ignore_index=True).sort_values(
            ["time", "pair"], kind="stable", ignore_index=True
        )
        for name in COMPONENTS:
            if name in table.votes:
                frame[f"{name}_direction"] = table.votes[name].direction
                frame[f"{name}_confidence"] = table.votes[name].confidence
                frame[f"{name}_percentile"] = decisions.percentiles[name]
        frame["unified_score"] = decisions.unified_score
        frame["unified_confidence"] = decisions.unified_confidence
        frame["threshold"] = decisions.threshold
        frame["ml_weight"] = decisions.ml_weight
        frame["accepted"] = decisions.accepted
        frame["rejection"] = decisions.rejection
        return frame


def _build_table(pairs: dict[str, PairAnalysis]) -> SignalTable:
    analyses = list(pairs.values())
    time = np.concatenate([a.candles.time[a.index] for a in analyses] or [np.zeros(0, np.int64)])
    pair = np.concatenate(
        [np.full(len(a.index), i) for i, a in enumerate(analyses)] or [np.zeros(0, np.int64)]
    )
    direction = np.concatenate([a.direction for a in analyses] or [np.zeros(0, np.int64)])
    order = np.lexsort((pair, time))
    votes = {}
    for name in COMPONENTS:
        if any(name in a.votes for a in analyses):
            each = [a.votes.get(name) or Votes.absent(len(a.index)) for a in analyses]
            columns: list[Floats] = [
                np.concatenate([getattr(vote, part) for vote in each])[order]
                for part in ("direction", "confidence", "score")
            ]
            votes[name] = Votes(*columns).present()
    return SignalTable(
        pairs=tuple(pairs),
        signals=Signals(time[order], pair[order].astype(np.int64), direction[order].astype(np.int64)),
        votes=votes,
    )


def _pair_rows(a: PairAnalysis, settings: Settings) -> pd.DataFrame:
    candles, horizon = a.candles, settings.targets.horizon
    outcome = resolve_outcomes(
        candles, a.index, a.direction, a.stop_distance, a.target_distance, horizon, settings.costs
    )
    price = candles.close[a.index]
    known = outcome.resolved >= 0
    resolved = pd.to_datetime(candles.time[np.maximum(outcome.resolved, 0)], unit="s", utc=True)
    return pd.DataFrame(
        {
            "time": pd.to_datetime(candles.time[a.index], unit="s", utc=True),
            "pair": a.pair,
            "direction": a.direction.astype(np.int8),
            "price": price,
            "stop": price * (1 - a.direction * a.stop_distance),
            "target": price * (1 + a.direction * a.target_distance),
            "horizon": horizon,
            "reasons": [a.technical.reasons(i) for i in a.index],
            "outcome_r": outcome.r,
            "outcome_exit": np.array(EXITS, dtype=object)[outcome.exit],
            "outcome_time": pd.Series(resolved).where(known),
        }
    )
