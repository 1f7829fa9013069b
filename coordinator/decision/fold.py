"""The fold: signals and outcomes, in time order, to decisions and learner state (DESIGN.md 3).

Time goes in steps of one day (00:00 UTC). At a step the learners take the outcomes that had resolved before it, of
all pairs; then they say the same for every signal of the day. So no decision knows an outcome of its own day, a
restart anywhere in the day finds the same state, and a whole backtest is one pass.

``run`` folds a table at once (backtest, hyperopt), ``advance`` and ``decide`` go candle by candle (dry-run, live).
They share every line that computes a number; that the results are equal to the bit is tested in ``tests/parity``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from coordinator.decision.clock_learners import ResolvedSignals
from coordinator.decision.decisions import REARMED_ALONE, REARMED_SHADOW, Decisions
from coordinator.decision.learners import Learners
from coordinator.decision.quality import apply_quality
from coordinator.decision.scales import STATIC, PercentileScales
from coordinator.decision.table import UNRESOLVED, SignalTable
from coordinator.decision.voting import COMPONENTS
from coordinator.settings import Settings
from coordinator.signals.clock import CLOCKS
from coordinator.types import Bools, Floats, Ints

__all__ = ["STEP_SECONDS", "Fold"]

STEP_SECONDS = 86400
SELECTOR = COMPONENTS.index("selector")
GREATEST_WEIGHT = 0.7  # of ML, ever (spec 001)


@dataclass(frozen=True)
class _Given:
    """What is known of each signal before anything learned, shape (n,)."""

    technical: Floats  # the technical confidence, after a quality model's say outside of the vote
    judged: Bools  # whether a quality model has such a say
    rejection: Ints  # not 0 where the signal is out whatever is learned
    draws: npt.NDArray[np.uint64]  # the selector's dice


class Fold:
    """Decides and learns.

    Parameters
    ----------
    settings : Settings
    can_short : bool
        False in spot: short signals are rejected, but rank, resolve and teach like the others.

    Attributes
    ----------
    learners : what was learned
    scales : what is usual
    step_ : int or None, the day that is being decided, seconds since the epoch
    """

    def __init__(self, settings: Settings, *, can_short: bool = True) -> None:
        self.settings = settings
        self.can_short = can_short
        self.learners = Learners(settings)
        self.scales = PercentileScales(settings.decision)
        self.step_: int | None = None
        self._gates = np.array([_gates(settings, name) for name in CLOCKS])

    def run(self, table: SignalTable) -> Decisions:
        """Fold a whole table, from the present state on."""
        out = Decisions.empty(len(table))
        for name in STATIC:
            out.of(name)[:] = self.scales.batch_percentiles(table, name)
        given = self._given(table, out)
        known = table.known_at()
        order = np.argsort(known, kind="stable")
        order = order[: np.searchsorted(known[order], UNRESOLVED)]
        times, taken = known[order], 0
        days = table.time // STEP_SECONDS
        bounds = [*np.flatnonzero(np.diff(days, prepend=-1)).tolist(), len(table)]
        for start, end in pairwise(bounds):
            day = int(days[start]) * STEP_SECONDS
            until = int(np.searchsorted(times, day, side="right"))
            self.step_ = day
            self.learners.learn(day, self._resolved(table, out, order[taken:until]))
            taken = until
            self._decide(table, out, given, slice(start, end))
        return out

    def begin_day(self, day: int, table: SignalTable, decided: Decisions, known_before: int) -> None:
        """Begin a day live: teach what resolved from ``known_before`` up to its start.

        Parameters
        ----------
        table, decided : the signals decided so far whose outcome may have become known
        known_before : int
            Outcomes known by then (seconds since the epoch) have been learned already.
        """
        known = table.known_at()
        order = np.argsort(known, kind="stable")
        new = order[(known[order] > known_before) & (known[order] <= day)]
        self.step_ = day
        self.learners.learn(day, self._resolved(table, decided, new))

    def decide(self, table: SignalTable) -> Decisions:
        """Decide on new signals of the present day, in the table's order; they are remembered as usual from now on."""
        out = Decisions.empty(len(table))
        for name in STATIC:
            out.of(name)[:] = self.scales.live_percentiles(table, name)
        self._decide(table, out, self._given(table, out), slice(0, len(table)))
        return out

    def state(self) -> dict[str, Any]:
        """JSON types; ``restore`` gives it back to the bit."""
        return {"step": self.step_, "learners": self.learners.state(), "scales": self.scales.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        self.step_ = state["step"]
        self.learners.restore(state["learners"])
        self.scales.restore(state["scales"])

    def _given(self, table: SignalTable, out: Decisions) -> _Given:
        """What needs no learner, for all rows at once, with the static percentiles."""
        technical, removed, judged = self._judged(out)
        short = (table.direction < 0) & (not self.can_short)
        draws = self.learners.selector.draws(table.names(), table.time)
        alone = (table.rearmed > 0) & ~judged & (self.settings.decision.quality_mode != "vote")
        # The first reason that applies counts: the learners' come before these.
        rejection = np.select(
            [short, removed, table.barred > 0, alone], [3, 4, table.barred, REARMED_ALONE], 0
        )
        if self.settings.decision.quality_mode == "filter":
            judged = np.zeros(len(table), dtype=bool)
        return _Given(technical, judged, rejection.astype(np.int64), draws)

    def _judged(self, out: Decisions) -> tuple[Floats, Bools, Bools]:
        """The technical confidence after quality's say, what quality removes, and where it speaks.

        Where it votes it has its say with the other components instead.
        """
        decision, technical, quality = self.settings.decision, out.of("technical"), out.of("quality")
        if decision.quality_mode == "vote":
            nothing = np.zeros(len(technical), dtype=bool)
            return technical, nothing, nothing
        said, removed = apply_quality(
            technical,
            quality,
            decision.quality_mode,
            weight=decision.quality_weight,
            threshold=decision.quality_threshold,
        )
        return said, removed, np.isfinite(quality)

    def _decide(self, table: SignalTable, out: Decisions, given: _Given, rows: slice) -> None:
        """Decide on rows of one day that have their static percentiles."""
        s, learners = self.settings, self.learners
        pairs = table.names(rows)
        if s.selector.enabled:
            self._select(table, out, given, rows, pairs)
        ml, shares = learners.ml_score(out.percentile[rows, 1:])
        present = ml == ml
        weight, arm = self._ml_weight(pairs, table, rows)
        weight = np.where(present, weight, 0.0)
        technical = given.technical[rows]
        score = (1.0 - weight) * technical + weight * np.where(present, ml, 0.0)
        rank = self.scales.push("unified", pairs, score)
        ml_rank = self.scales.push("ml", pairs, ml)
        blended = weight > 0.0
        confidence = np.where(blended, rank, technical)
        probability, expected = learners.predict_r(
            table.clock[rows], confidence, s.decision.expectancy_outcomes
        )
        clock = table.clock[rows]
        threshold = self._gates[clock, np.where(given.judged[rows], 0, 1)]
        if blended.any():
            threshold = self._between(threshold, pairs, weight)
        if s.thresholds.mode != "off":
            out.adaptive_threshold[rows] = learners.adaptive_thresholds(pairs)
        out.ml_score[rows], out.ml_rank[rows], out.unified_score[rows] = ml, ml_rank, score
        out.confidence[rows], out.ml_weight[rows], out.blended[rows] = confidence, weight, blended
        out.arm[rows], out.threshold[rows] = arm, threshold
        out.share[rows, 0] = 1.0 - weight
        np.multiply(weight[:, None], shares, out=out.share[rows, 1:])
        out.phase[rows] = learners.phase if s.decision.weighting == "earned" else -1
        if s.sizing.earned.mode != "off":
            out.risk_share[rows] = learners.earned_share(clock)
        out.expected_days[rows] = learners.expected_days(clock)
        out.win_probability[rows], out.expected_r[rows] = probability, expected
        worthless = blended & (expected <= 0.0) & s.decision.require_positive_expectancy
        barred = given.rejection[rows]
        rearmed = table.rearmed[rows]
        if s.decision.quality_mode == "vote" and rearmed.any():
            barred = np.where((barred == 0) & (rearmed > 0) & ~blended, REARMED_ALONE, barred)
        out.rejection[rows] = np.where(confidence < threshold, 1, np.where(worthless, 2, barred))

    def _between(self, own: Floats, pairs: list[str], weight: Floats) -> Floats:
        """Least confidence of each signal, from the baseline's ``own`` on to ML's as far as ML has a say.

        So a small say is a small change: where the baseline takes every signal, ML with a tenth of its greatest weight
        takes all but the lowest tenth of what it would refuse at the greatest.
        """
        gate = self.learners.ml_gates(pairs)
        return np.where(weight > 0.0, own + (gate - own) * (weight / GREATEST_WEIGHT), own)

    def _select(
        self, table: SignalTable, out: Decisions, given: _Given, rows: slice, pairs: list[str]
    ) -> None:
        chosen = self.learners.select(table, given.draws, rows)
        if chosen is None:
            return
        out.tactic[rows] = chosen.tactic
        backing = table.direction[rows] * chosen.direction * chosen.confidence
        if self.settings.decision.confidence_scale == "raw":
            out.percentile[rows, SELECTOR] = np.clip(backing, 0.0, None)
            return
        out.percentile[rows, SELECTOR] = self.scales.push("selector", pairs, backing)

    def _ml_weight(self, pairs: list[str], table: SignalTable, rows: slice) -> tuple[Floats, Ints]:
        """Say of ML for each signal, and its arm in the pilot phase."""
        n, decision = len(pairs), self.settings.decision
        nothing = np.full(n, -1, dtype=np.int64)
        if decision.shadow:
            return np.zeros(n), nothing
        if decision.weighting == "fixed":
            return np.full(n, decision.ml_weight), nothing
        return self.learners.ml_weight(pairs, table.time[rows])

    def _resolved(self, table: SignalTable, out: Decisions, rows: Ints) -> ResolvedSignals:
        spoken_for = np.isfinite(out.of("quality")[rows])
        if self.settings.decision.quality_mode == "vote":
            spoken_for = out.blended[rows]
        alone = (table.rearmed[rows] > 0) & ~spoken_for
        side = self.can_short | (table.direction[rows] > 0)
        barred = table.barred[rows]
        tactic = out.tactic[rows]
        chosen = table.tactic_direction[rows, np.maximum(tactic, 0)]
        return ResolvedSignals(
            pair=table.names(rows),
            clock=table.clock[rows],
            days=(table.outcome_time[rows] + table.candle_seconds - table.time[rows]) / STEP_SECONDS,
            direction=table.direction[rows],
            stop=table.stop[rows],
            state=table.state[rows],
            next_state=table.outcome_state[rows],
            percentile=out.percentile[rows],
            tactic=tactic,
            chosen_direction=chosen,
            ml_rank=out.ml_rank[rows],
            confidence=out.confidence[rows],
            expected_r=out.expected_r[rows],
            accepted=out.accepted[rows],
            takeable=(barred == 0) & side & ~alone,
            decidable=((barred == 0) | (barred == REARMED_SHADOW)) & side,
            arm=out.arm[rows],
            r=table.outcome_r[rows],
            exit=table.outcome_exit[rows],
        )


def _gates(settings: Settings, clock: str) -> tuple[float, float]:
    """Least confidence on a clock where a model judges the signal, and where none does."""
    decision = settings.on_clock(clock).decision
    own = decision.baseline_threshold
    return decision.threshold, decision.threshold if own is None else own
