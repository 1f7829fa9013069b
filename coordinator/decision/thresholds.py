"""Adaptive thresholds per pair (DESIGN.md 4.5, spec 003 section 3).

Every signal has an outcome, traded or not, so both mistakes can be seen. Of a pair's last 50 resolved decisions

- those at or above its adaptive threshold are the accepted: they do *worse than expected* where their mean R is below
  their mean expected R, or below 0 (false positives): one step up;
- the others are the rejected: they *would have done well* where their mean R is above 0 (false negatives): one step
  down;
- where both hold, confidence ranks the wrong way round and no threshold helps: no step.

"Below" and "above" mean by ``sigmas`` standard errors of the mean. Accepted and rejected are told apart by the adaptive
threshold itself, not by what was traded, so shadow mode learns exactly what mode "on" would.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coordinator.decision.pair_records import PairChange, latest_record
from coordinator.settings.learners import ThresholdSettings
from coordinator.types import Floats

__all__ = ["AdaptiveThresholds"]

SECONDS_PER_HOUR = 3600


@dataclass
class _Pair:
    threshold: float
    changed: int | None = None
    fresh: int = 0
    rows: deque[tuple[float, float, float]] = field(default_factory=deque)  # confidence, expected R, R


class AdaptiveThresholds:
    """Learns the confidence from which a pair's signals are worth taking.

    Parameters
    ----------
    settings : ThresholdSettings
    base : float
        ``decision.threshold``, 0..1: the fixed gate, and where adaptive ones start (clamped to their bounds).

    Attributes
    ----------
    pairs_ : dict of pair to its record
        Least recently learned first; at most 1000.

    Notes
    -----
    A pair is reviewed at the end of each ``learn`` that brings it outcomes. Splitting a step's outcomes into two calls
    can therefore take a step earlier, on fewer of them; the window itself is the same.
    """

    def __init__(self, settings: ThresholdSettings, base: float) -> None:
        self.settings = settings
        self.base = base
        self.pairs_: dict[str, _Pair] = {}

    def learn(
        self, time: int, pair: Sequence[str], confidence: Floats, expected_r: Floats, r: Floats
    ) -> list[PairChange]:
        """Take the outcomes that resolved since the last step, in time order; mode "off" learns nothing.

        Parameters
        ----------
        time : int
            Now, seconds since the epoch.
        pair : sequence of str, length n
        confidence : ndarray of float, shape (n,)
            Unified confidence at decision time, 0..1.
        expected_r : ndarray of float, shape (n,)
            Expected R at decision time; NaN (nothing was expected) counts as 0.
        r : ndarray of float, shape (n,)
            Realised R after costs. Rows where this or the confidence is NaN are passed over.

        Returns
        -------
        list of PairChange
            In the order in which the pairs first appear.
        """
        if self.settings.mode == "off":
            return []
        touched: dict[str, _Pair] = {}
        rows = zip(pair, confidence.tolist(), expected_r.tolist(), r.tolist(), strict=True)
        for name, c, expected, profit in rows:
            if c != c or profit != profit:
                continue
            record = touched.get(name)
            if record is None:
                record = touched[name] = self._record(name)
            record.rows.append((c, expected if expected == expected else 0.0, profit))
            record.fresh += 1
        changes = (self._review(time, name, record) for name, record in touched.items())
        return [change for change in changes if change is not None]

    def predict(self, pair: Sequence[str]) -> Floats:
        """Threshold to act on, shape (n,): the fixed gate unless the mode is "on"."""
        if self.settings.mode != "on":
            return np.full(len(pair), self.base)
        return self.adaptive(pair)

    def adaptive(self, pair: Sequence[str]) -> Floats:
        """What was learned, shape (n,), whatever the mode: what "on" would act on."""
        start = self._start()
        known = self.pairs_
        return np.array([known[p].threshold if p in known else start for p in pair], dtype=np.float64)

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types; ``restore`` gives it back to the bit."""
        return {
            "pairs": [
                {
                    "pair": name,
                    "threshold": record.threshold,
                    "changed": record.changed,
                    "fresh": record.fresh,
                    "rows": [list(row) for row in record.rows],
                }
                for name, record in self.pairs_.items()
            ]
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave."""
        window = self.settings.window
        self.pairs_ = {
            row["pair"]: _Pair(
                row["threshold"], row["changed"], row["fresh"], deque(map(tuple, row["rows"]), window)
            )
            for row in state["pairs"]
        }

    def _start(self) -> float:
        return min(max(self.base, self.settings.minimum), self.settings.maximum)

    def _record(self, name: str) -> _Pair:
        return latest_record(
            self.pairs_, name, lambda: _Pair(self._start(), rows=deque(maxlen=self.settings.window))
        )

    def _review(self, time: int, name: str, record: _Pair) -> PairChange | None:
        s = self.settings
        if record.fresh < s.fresh_outcomes:
            return None
        if record.changed is not None and time - record.changed < s.interval_hours * SECONDS_PER_HOUR:
            return None
        step, reason = self._step(record)
        # Rounded, as ten steps of .02 in binary would not end at a threshold one can write down.
        after = round(min(max(record.threshold + step, s.minimum), s.maximum), 10)
        if after == record.threshold:
            return None
        change = PairChange(time, name, record.threshold, after, reason)
        record.threshold, record.changed, record.fresh = after, time, 0
        return change

    def _step(self, record: _Pair) -> tuple[float, str]:
        gate = record.threshold
        accepted, surprise, surprise2, missed, missed2 = 0, 0.0, 0.0, 0.0, 0.0
        for c, expected, r in record.rows:
            if c < gate:
                missed += r
                missed2 += r * r
                continue
            short = (expected if expected > 0.0 else 0.0) - r
            accepted += 1
            surprise += short
            surprise2 += short * short
        rejected = len(record.rows) - accepted
        up = self._clearly_positive(accepted, surprise, surprise2)
        down = self._clearly_positive(rejected, missed, missed2)
        if up == down:
            return 0.0, ""
        if up:
            why = f"{accepted} accepted made {-surprise / accepted:+.2f} R against what was expected"
            return self.settings.step, why
        return -self.settings.step, f"{rejected} rejected would have made {missed / rejected:+.2f} R"

    def _clearly_positive(self, n: int, total: float, squares: float) -> bool:
        if n < self.settings.minimum_outcomes or total <= 0.0:
            return False
        variance = max(squares - total * total / n, 0.0) / (n - 1)
        return total / n > self.settings.sigmas * math.sqrt(variance / n)
