"""All pairs' signals side by side, decided together once every pair has been analysed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coordinator.decision.blending import PHASES
from coordinator.decision.decisions import REJECTIONS, Decisions
from coordinator.decision.fold import Fold
from coordinator.decision.learners import History
from coordinator.decision.outcomes import EXITS
from coordinator.decision.pilot import ARMS
from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.decision.trust_fold import TrustFold
from coordinator.decision.voting import COMPONENTS
from coordinator.ledger.records import CandleRecord
from coordinator.portfolio.correlation import ReturnPanel
from coordinator.portfolio.ranking import Candidate
from coordinator.run.analysis import PairAnalysis
from coordinator.run.improvement_trust import in_full, new_trust, told, trusted
from coordinator.run.improvements import ADAPTIVE_THRESHOLDS, Improved
from coordinator.run.learning_records import Seen, end_state, histories, observations, together
from coordinator.run.live_ledger import LiveRun
from coordinator.run.signal_table import build_table, in_order
from coordinator.settings import Settings
from coordinator.signals.tactics import TACTICS
from coordinator.types import Bools, Floats, Ints

__all__ = ["SignalBoard"]

TRUST = "trust"
"""Name of the snapshots of the improvements' trust."""


class SignalBoard:
    """Collects the pairs' analyses and decides on all their signals.

    In a backtest every pair is put before the first decision is asked for; live, a pair's new candle replaces its
    old analysis and the next question decides anew. Pickles with the strategy (hyperopt sends it to its workers).
    """

    def __init__(self, can_short: bool) -> None:
        self._can_short = can_short
        self._live: LiveRun | None = None
        self._pairs: dict[str, PairAnalysis] = {}
        self._table: SignalTable | None = None
        self._panel: ReturnPanel | None = None
        self._decided: tuple[Settings, Decisions] | None = None
        self._trusted: tuple[Settings, dict[str, Improved]] | None = None
        self.trust: TrustFold | None = None  # of the last improvements asked for
        self._history = History([], [], [])
        self._learners: tuple[int | None, dict[str, Any]] = (None, {})

    def go_live(self, run: LiveRun) -> None:
        """Decide candle by candle from now on, with memory (dry-run and live)."""
        self._live, self.trust = run, new_trust(run.fold.settings)
        state = run.load_state(TRUST)
        if state is not None:
            self.trust.restore(state)

    def put(self, analysis: PairAnalysis) -> None:
        """Set a pair's analysis."""
        self._pairs[analysis.pair] = analysis
        self._table = self._decided = self._panel = self._trusted = None

    def analysis(self, pair: str) -> PairAnalysis:
        """A pair's analysis; KeyError where it was never put."""
        return self._pairs[pair]

    def table(self, settings: Settings) -> SignalTable:
        """All signals, sorted by time, then pair name: the order in which pairs were put changes nothing."""
        if self._table is None:
            self._table = build_table(self._pairs, settings)
        return self._table

    def decisions(self, settings: Settings) -> Decisions:
        """Decisions on ``table()``'s signals; computed once per set of analyses and settings."""
        if self._decided is None or self._decided[0] != settings:
            if self._live is None:
                fold = Fold(settings, can_short=self._can_short)
                self._decided = settings, fold.run(self.table(settings))
                self._history, self._learners = fold.learners.history, (fold.step_, fold.learners.state())
            else:
                self._decide_live(self._live, settings)
        return self._decided[1]  # type: ignore[index]

    def _decide_live(self, run: LiveRun, settings: Settings) -> None:
        table = self.table(settings)
        now = self.last_candle()
        self._decided = settings, run.decide(table, now)
        run.write(table, self.ledger_frame(settings), partial(self._observations, settings), now)

    def learned(self, settings: Settings) -> list[CandleRecord]:
        """What a backtest's learners went through, and what its signals did without, for the ledger."""
        rows = range(len(self.table(settings)))
        observed = self._observations(settings, rows)
        day, state = self._learners
        last = [] if day is None else [CandleRecord(day, snapshots=(end_state(state),))]
        trust = [CandleRecord(time, improvements=(x.row,)) for time, x in told(self.trust, settings)]
        return list(together((*histories(self._history, Seen()), *observed.values(), *trust, *last)))

    def _observations(self, settings: Settings, rows: Iterable[int]) -> dict[int, CandleRecord]:
        return observations(self.table(settings), self.improved(settings), self.absences(settings), rows)

    def improved(self, settings: Settings) -> dict[str, Improved]:
        """Numbers of ``table()``'s signals without and with each improvement that is not off, NaN where it is.

        As far as each is trusted at its signal.
        """
        table, found = self.table(settings), dict(self._improved(settings))
        if settings.thresholds.mode != "off":
            base = np.full(len(table), settings.decision.threshold)
            adaptive = self.decisions(settings).adaptive_threshold
            found[ADAPTIVE_THRESHOLDS] = Improved(settings.thresholds.mode, base, adaptive)
        return found

    def improved_of(self, pair: str, settings: Settings) -> dict[str, Improved]:
        """A pair's own signals' numbers, those of improvements that are not off for it."""
        rows, mine = self.rows_of(pair, settings), self._pairs[pair].improved
        return {
            name: Improved(mine[name].mode, x.base[rows], x.adjusted[rows])
            for name, x in self._improved(settings).items()
            if name in mine
        }

    def _improved(self, settings: Settings) -> dict[str, Improved]:
        """Of the signals alone, decisions aside; hyperopt's epochs share it."""
        if self._trusted is not None and self._trusted[0].improvements == settings.improvements:
            return self._trusted[1]
        table = self.table(settings)
        full = in_full(self._pairs, table)
        # On a bot's very first candle the pairs arrive one by one: each time their whole history is learned anew.
        if self._live is None or self.trust is None or self._live.fold.warming(self.last_candle()):
            self.trust = new_trust(settings)
        before = self.trust.step_
        self._trusted = settings, trusted(self.trust, self._pairs, table, full, settings)
        if self._live is not None and self.trust.trusts and self.trust.step_ not in (None, before):
            self._live.store_state(TRUST, self.trust.step_ or 0, self.trust.state())
        return self._trusted[1]

    def panel(self) -> ReturnPanel:
        """All pairs' returns side by side."""
        if self._panel is None:
            closes = {name: (a.candles.time, a.candles.close) for name, a in self._pairs.items()}
            self._panel = ReturnPanel.from_closes(closes)
        return self._panel

    def last_candle(self) -> int:
        """Open time of the newest candle analysed; 0 without any."""
        return max((int(a.candles.time[-1]) for a in self._pairs.values() if len(a.candles)), default=0)

    def absences(self, settings: Settings) -> dict[str, npt.NDArray[np.object_]]:
        """Why each component did not vote, one text per signal of ``table()``; empty where it did."""
        names = {name for analysis in self._pairs.values() for name in analysis.absences}

        def of_pair(name: str) -> Callable[[PairAnalysis], npt.NDArray[Any]]:
            return lambda a: a.absences.get(name, np.full(len(a.index), "", dtype=object))

        return {name: in_order(self._pairs, self.table(settings), of_pair(name)) for name in sorted(names)}

    def accepted_at(self, time: int, settings: Settings) -> list[Candidate]:
        """The signals of a candle that are to be entered, of all pairs."""
        table, decided = self.table(settings), self.decisions(settings)
        first, last = np.searchsorted(table.time, (time, time + 1)).tolist()
        return [
            Candidate(
                table.pairs[table.pair[i]],
                int(table.direction[i]),
                float(decided.expected_r[i]),
                float(decided.confidence[i]),
            )
            for i in range(first, last)
            if decided.rejection[i] == 0
        ]

    def rows_of(self, pair: str, settings: Settings) -> Bools:
        """Which of ``table()``'s signals are a pair's, in its own order."""
        table = self.table(settings)
        mine: Bools = table.pair == table.pairs.index(pair)
        return mine

    def ledger_frame(self, settings: Settings) -> pd.DataFrame:
        """One row per signal, as ``coordinator.ledger`` stores it."""
        table, x = self.table(settings), self.decisions(settings)
        prices = in_order(self._pairs, table, lambda a: a.candles.close[a.index])
        reasons = in_order(
            self._pairs, table, lambda a: np.array([a.technical.reasons(i) for i in a.index], object)
        )
        known = table.outcome_time != UNRESOLVED
        when = pd.to_datetime(np.where(known, table.outcome_time, 0), unit="s", utc=True)
        columns = {
            "time": pd.to_datetime(table.time, unit="s", utc=True),
            "pair": np.array(table.pairs, dtype=object)[table.pair],
            "direction": table.direction.astype(np.int8),
            "price": prices,
            "stop": prices * (1 - table.direction * table.stop),
            "target": prices * (1 + table.direction * table.target),
            "horizon": settings.targets.horizon,
            "reasons": reasons,
            **self._vote_columns(table, x),
            "unified_score": x.unified_score,
            "unified_confidence": x.confidence,
            "threshold": x.threshold,
            "ml_weight": x.ml_weight,
            "accepted": x.accepted,
            "quality": x.quality,
            "ml_score": x.ml_score,
            "ml_rank": x.ml_rank,
            "win_probability": x.win_probability,
            "expected_r": x.expected_r,
            "tactic": _named(TACTICS, x.tactic),
            "phase": _named(PHASES, x.phase),
            "arm": _named(ARMS, x.arm),
            "rejection": np.array((*REJECTIONS, "not seen in time"), dtype=object)[x.rejection],
            "outcome_r": table.outcome_r,
            "outcome_exit": np.array(EXITS, dtype=object)[table.outcome_exit],
            "outcome_time": pd.Series(when).where(known),
        }
        return pd.DataFrame(columns)

    @staticmethod
    def _vote_columns(table: SignalTable, x: Decisions) -> dict[str, Floats]:
        columns = {}
        for name in COMPONENTS:
            vote = table.votes.get(name)
            if name == "selector" and (x.tactic >= 0).any():
                vote = x.selector_votes(table)
            if vote is not None:
                columns[f"{name}_direction"] = vote.direction
                columns[f"{name}_confidence"] = vote.confidence
                columns[f"{name}_percentile"] = x.of(name)
        return columns


def _named(names: tuple[str, ...], codes: Ints) -> npt.NDArray[np.object_]:
    """Texts of codes; -1 is an empty one."""
    return np.array((*names, ""), dtype=object)[codes]
