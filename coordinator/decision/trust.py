"""Trust in one improvement: the range it may move a number by, learned from its effects (spec 003).

An effect is the R of a resolved signal with the improvement in full minus the R without it, so the evidence does not
depend on how far it is trusted, and shadow mode gathers it too. A review, every ``review_days``, takes the posterior of
the mean effect under a flat prior, normal with the standard error of the window's mean:

1. P(harm) >= ``harm``: switched off (range 0), and its effects are forgotten, so only later effects bring it back
2. P(harm) >= ``certainty``: the range is narrowed
3. P(gain) >= ``certainty``, in the window and again in what came since the last change (at least ``minimum_effects``),
   so that no step rests on the evidence of the step before: one step wider, up to the cap; while off, back at the start

A pair is switched off alone, and comes back, by its own effects in the same way. Effects of signals that overlap are
not independent, so the standard error is rather too small than too large.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coordinator.decision.pair_records import PairChange, latest_record
from coordinator.settings.trust import TrustSettings
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = ["Trust"]


@dataclass
class _Pair:
    on: bool = True
    rows: deque[float] = field(default_factory=deque)


class Trust:
    """Learns how far one improvement may go.

    Parameters
    ----------
    settings : TrustSettings
    cap : float
        Widest range, 0..1: a fixed ``range`` in the improvement's own settings; 1 is everything.

    Attributes
    ----------
    range_ : float, 0..cap
    pairs_ : dict of pair to its record
        Least recently learned first; at most 1000.
    """

    def __init__(self, settings: TrustSettings, cap: float = 1.0) -> None:
        self.settings = settings
        self.cap = cap
        self.range_ = min(settings.start, cap)
        self.rows_: deque[float] = deque(maxlen=settings.window)
        self.pairs_: dict[str, _Pair] = {}
        self.fresh_ = 0
        self.reviewed_: int | None = None

    def learn(self, time: int, pair: Sequence[str], effect: Floats) -> list[PairChange]:
        """Take the effects that became known since the last step, in time order.

        Parameters
        ----------
        time : int
            Now, seconds since the epoch. The first call starts the time to the first review.
        pair : sequence of str, length n
        effect : ndarray of float, shape (n,)
            R in full minus R without; rows that are not finite are passed over.
        """
        for name, value in zip(pair, effect.tolist(), strict=True):
            if math.isfinite(value):
                self.rows_.append(value)
                self._record(name).rows.append(value)
                self.fresh_ += 1
        if self.reviewed_ is None:
            self.reviewed_ = time
        if time - self.reviewed_ < self.settings.review_days * SECONDS_PER_DAY:
            return []
        self.reviewed_ = time
        return self._review(time) + self._review_pairs(time)

    def predict(self, pair: Sequence[str]) -> Floats:
        """Range in force, shape (n,), 0..cap; 0 where switched off."""
        known = self.pairs_
        return np.array([0.0 if p in known and not known[p].on else self.range_ for p in pair], np.float64)

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types; ``restore`` gives it back to the bit."""
        return {
            "range": self.range_,
            "rows": list(self.rows_),
            "fresh": self.fresh_,
            "reviewed": self.reviewed_,
            "pairs": [
                {"pair": p, "on": record.on, "rows": list(record.rows)} for p, record in self.pairs_.items()
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave; a cap lowered since then holds."""
        self.range_ = min(state["range"], self.cap)
        self.rows_ = deque(state["rows"], self.settings.window)
        self.fresh_, self.reviewed_ = state["fresh"], state["reviewed"]
        window = self.settings.pair_window
        self.pairs_ = {row["pair"]: _Pair(row["on"], deque(row["rows"], window)) for row in state["pairs"]}

    def _record(self, name: str) -> _Pair:
        return latest_record(self.pairs_, name, lambda: _Pair(rows=deque(maxlen=self.settings.pair_window)))

    def _review(self, time: int) -> list[PairChange]:
        s, before = self.settings, self.range_
        if len(self.rows_) < s.minimum_effects or self.fresh_ < s.fresh_effects:
            return []
        gain, why = _evidence(self.rows_)
        after = self._next(gain, self._holds())
        if after == before:
            return []
        if after == 0.0:
            self.rows_.clear()
        self.range_, self.fresh_ = after, 0
        return [PairChange(time, "", before, after, why)]

    def _holds(self) -> bool:
        """Whether the gain is there in the effects since the last change alone."""
        s, n = self.settings, min(self.fresh_, len(self.rows_))
        return n >= s.minimum_effects and _evidence(list(self.rows_)[-n:])[0] >= s.certainty

    def _next(self, gain: float, holds: bool) -> float:
        s, now = self.settings, self.range_
        if now == 0.0:
            return min(s.start, self.cap) if gain >= s.certainty and holds else 0.0
        if 1.0 - gain >= s.harm:
            return 0.0
        if 1.0 - gain >= s.certainty:
            return min(now, max(round(now * s.narrowing, 10), s.floor))
        # Rounded, as ten steps of .1 in binary would miss the cap by a bit.
        return min(round(now + s.step, 10), self.cap) if gain >= s.certainty and holds else now

    def _review_pairs(self, time: int) -> list[PairChange]:
        s, changes = self.settings, []
        for name, record in self.pairs_.items():
            if len(record.rows) < s.pair_effects:
                continue
            gain, why = _evidence(record.rows)
            on = 1.0 - gain < s.harm if record.on else gain >= s.certainty
            if on == record.on:
                continue
            changes.append(PairChange(time, name, float(record.on), float(on), why))
            record.on = on
            record.rows.clear()
        return changes


def _evidence(rows: Iterable[float]) -> tuple[float, str]:
    """P(mean effect > 0), and the figures in words; half where all effects are 0."""
    effects = np.fromiter(rows, np.float64)
    mean, error = float(effects.mean()), float(effects.std(ddof=1)) / math.sqrt(len(effects))
    certain = 0.5 if mean == 0.0 else float(mean > 0.0)
    gain = 0.5 * math.erfc(-mean / error / math.sqrt(2.0)) if error > 0.0 else certain
    return gain, f"{len(effects)} effects of {mean:+.3f} R (standard error {error:.3f}): P(gain) {gain:.2f}"
