"""Trust in time order: effects known before a day, to the ranges in force on its signals.

A small fold beside the decisions' (``decision.fold``): the same steps of one day, the same causality, one pass for a
backtest and one call a candle for a bot. It reads signals, improvements and outcomes, never a decision, so hyperopt's
epochs share one result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from coordinator.decision.pair_records import PairChange
from coordinator.decision.table import UNRESOLVED
from coordinator.decision.trust import Trust, begin_anew
from coordinator.settings.trust import TrustSettings
from coordinator.types import SECONDS_PER_DAY, Floats, Ints, Times

__all__ = ["MeasuredEffects", "TrustFold"]


class MeasuredEffects(NamedTuple):
    """What an improvement in full would have changed at each signal; arrays of shape (n,).

    Attributes
    ----------
    known_at : seconds since the epoch, ``UNRESOLVED`` while it is not known
    r : R with it less R without; of a size the R itself
    size : multiplier of the size, or None where the improvement changes no size. Its effect is
        (size / mean size so far - 1) x R: trading less throughout is not praised for itself
    """

    known_at: Times
    r: Floats
    size: Floats | None = None


class TrustFold:
    """The trust in several improvements.

    Parameters
    ----------
    names : the improvements

    Attributes
    ----------
    changes : (improvement, change) in time order; one that raised begins anew, which is a change too
    step_ : int or None, the day of the last signals, seconds since the epoch
    """

    def __init__(self, settings: TrustSettings, names: Sequence[str]) -> None:
        self.settings = settings
        self.trusts = {name: Trust(settings) for name in names}
        self.changes: list[tuple[str, PairChange]] = []
        self.step_: int | None = None
        self._sizes: dict[str, tuple[float, int]] = {}

    def run(
        self, time: Times, pair: Sequence[str], effects: Mapping[str, MeasuredEffects]
    ) -> dict[str, Floats]:
        """Ranges in force, shape (n,) by improvement; effects known by a day's start are learned before its signals.

        Signals of days before ``step_`` (a bot's frames hold many) get the present ranges.

        Parameters
        ----------
        time : open times of the signals' candles, ascending
        pair : name of each signal's pair
        effects : of the same signals, by improvement
        """
        out = {name: np.ones(len(time)) for name in self.trusts}
        order = {name: _in_time(effects[name].known_at) for name in self.trusts}
        days = time // SECONDS_PER_DAY
        bounds = [*np.flatnonzero(np.diff(days, prepend=-1)).tolist(), len(time)]
        for start, end in pairwise(bounds):
            day = int(days[start]) * SECONDS_PER_DAY
            if self.step_ is None or day > self.step_:
                self._advance(day, pair, effects, order)
            for name in self.trusts:
                out[name][start:end] = self._ranges(name, pair[start:end])
        return out

    def _advance(
        self,
        day: int,
        pair: Sequence[str],
        effects: Mapping[str, MeasuredEffects],
        order: Mapping[str, tuple[Ints, Times]],
    ) -> None:
        before = -1 if self.step_ is None else self.step_
        self.step_ = day
        for name in self.trusts:
            rows, known = order[name]
            first, last = np.searchsorted(known, (before, day), side="right").tolist()
            new = rows[first:last]
            names = [pair[i] for i in new.tolist()]
            try:
                changes = self.trusts[name].learn(day, names, self._effect(name, effects[name], new))
            except Exception as error:  # whatever it is, the improvements go on
                changes = [self._begin_anew(name, error)]
            self.changes += [(name, change) for change in changes]

    def _ranges(self, name: str, pair: Sequence[str]) -> Floats:
        try:
            return self.trusts[name].predict(pair)
        except Exception as error:
            self.changes.append((name, self._begin_anew(name, error)))
            return np.full(len(pair), self.settings.start)

    def _begin_anew(self, name: str, error: Exception) -> PairChange:
        """A trust that raised begins with its first range, as if nothing had been learned."""
        self.trusts[name], change = begin_anew(self.trusts[name], self.step_ or 0, error)
        return change

    def _effect(self, name: str, effects: MeasuredEffects, rows: Ints) -> Floats:
        if effects.size is None:
            return effects.r[rows]
        size, r = effects.size[rows], effects.r[rows]
        finite = np.isfinite(size) & np.isfinite(r)
        total, count = self._sizes.get(name, (0.0, 0))
        sums, counts = total + np.cumsum(np.where(finite, size, 0.0)), count + np.cumsum(finite)
        if len(rows):
            self._sizes[name] = float(sums[-1]), int(counts[-1])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(finite, (size / (sums / counts) - 1.0) * r, np.nan)

    def state(self) -> dict[str, Any]:
        """JSON types; ``restore`` gives it back to the bit. The changes are the ledger's, not the state's."""
        return {
            "step": self.step_,
            "sizes": {name: list(size) for name, size in self._sizes.items()},
            "trusts": {name: trust.state() for name, trust in self.trusts.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave; improvements switched on since then begin anew."""
        self.step_ = state["step"]
        self._sizes = {name: (float(total), int(n)) for name, (total, n) in state["sizes"].items()}
        for name, trust in self.trusts.items():
            if name in state["trusts"]:
                trust.restore(state["trusts"][name])


def _in_time(known_at: Times) -> tuple[Ints, Times]:
    """Rows in the order in which they become known, and when; those that are not known left out."""
    rows = np.argsort(known_at, kind="stable")
    known = known_at[rows]
    end = int(np.searchsorted(known, UNRESOLVED))
    return rows[:end].astype(np.int64), known[:end]
