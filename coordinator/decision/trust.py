"""Trust in one improvement: the range it may move a number by, learned from its effects (spec 003).

An effect is the R of a resolved signal with the improvement in full minus the R without it, so the evidence does not
depend on how far it is trusted, and shadow mode gathers it too. Effects that become known within ``block_days`` are one
observation (``decision.effect_blocks``). A review, every ``review_days``, takes P(gain) and P(harm), the probabilities
that the mean effect is above or below zero, from the last ``window_days``. They are ``decision.edge.edge_probability``,
which repeated looks cannot fool: what has no effect seldom leaves the start (``benchmarks.trust_calibration``).

1. P(harm) >= ``harm``: switched off (range 0), and its effects are forgotten, so only later effects bring it back
2. P(harm) >= ``certainty``: the range is narrowed
3. P(gain) >= ``certainty``: one step wider, up to the cap; while off, back at the start

2 and 3 hold only where the effects since the last step say the same alone, under a flat prior: no step rests on the
evidence of the step before. P(harm) is that of all effects or, where it is greater, of those since the last step.

A pair is switched off alone, and comes back, by its own effects in the same way. With n pairs the prior odds of a
pair's harm are an n-th of the improvement's (Bonferroni), so that the risk of a false alarm is shared, not n-fold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from coordinator.decision.effect_blocks import EffectBlocks, MeanEffect
from coordinator.decision.pair_records import PairChange, latest_record
from coordinator.settings.trust import TrustSettings
from coordinator.types import SECONDS_PER_DAY, Floats

__all__ = ["Trust", "begin_anew"]

Verdict: TypeAlias = Literal["off", "narrower", "wider"]


@dataclass
class _Pair:
    on: bool
    effects: EffectBlocks


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
    effects_ : EffectBlocks
        Of all pairs together.
    pairs_ : dict of pair to its record
        Least recently learned first; at most 1000.
    """

    def __init__(self, settings: TrustSettings, cap: float = 1.0) -> None:
        self.settings = settings
        self.cap = cap
        self.range_ = min(settings.start, cap)
        self.effects_ = EffectBlocks(settings.block_days)
        self.pairs_: dict[str, _Pair] = {}
        self.reviewed_: int | None = None

    def learn(self, time: int, pair: Sequence[str], effect: Floats) -> list[PairChange]:
        """Take the effects that became known since the last step, in time order.

        A review comes before them, so that one call and several of the same time are the same.

        Parameters
        ----------
        time : int
            Now, seconds since the epoch. The first call starts the time to the first review.
        pair : sequence of str, length n
        effect : ndarray of float, shape (n,)
            R in full minus R without; rows that are not finite are passed over.
        """
        changes: list[PairChange] = []
        if self.reviewed_ is None:
            self.reviewed_ = time
        if time - self.reviewed_ >= self.settings.review_days * SECONDS_PER_DAY:
            self.reviewed_ = time
            changes = self._review(time) + self._review_pairs(time)
        for name, value in zip(pair, effect.tolist(), strict=True):
            if math.isfinite(value):
                self.effects_.add(time, value)
                self._record(name).effects.add(time, value)
        return changes

    def predict(self, pair: Sequence[str]) -> Floats:
        """Range in force, shape (n,), 0..cap; 0 where switched off."""
        known = self.pairs_
        return np.array([0.0 if p in known and not known[p].on else self.range_ for p in pair], np.float64)

    def state(self) -> dict[str, Any]:
        """Everything learned, in JSON types; ``restore`` gives it back to the bit."""
        return {
            "range": self.range_,
            "effects": self.effects_.state(),
            "reviewed": self.reviewed_,
            "pairs": [
                {"pair": p, "on": record.on, "effects": record.effects.state()}
                for p, record in self.pairs_.items()
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state`` gave; a cap lowered since then holds."""
        self.range_ = min(state["range"], self.cap)
        self.effects_.restore(state["effects"])
        self.reviewed_ = state["reviewed"]
        self.pairs_ = {}
        for row in state["pairs"]:
            record = self._record(row["pair"])
            record.on = row["on"]
            record.effects.restore(row["effects"])

    def _record(self, name: str) -> _Pair:
        return latest_record(
            self.pairs_, name, lambda: _Pair(on=True, effects=EffectBlocks(self.settings.block_days))
        )

    def _review(self, time: int) -> list[PairChange]:
        s, before = self.settings, self.range_
        self.effects_.drop_before(time - s.window_days * SECONDS_PER_DAY)
        found = self.effects_.mean()
        verdict = self._verdict(found)
        if verdict is None:
            return []
        # At the cap, too: a later harm must not hide behind a long gain.
        self.effects_.begin_fresh(time)
        if verdict == "off":
            self.effects_.clear()
        self.range_ = self._moved(verdict)
        if self.range_ == before:
            return []
        return [PairChange(time, "", before, self.range_, self._reason(found, s.prior))]

    def _verdict(self, found: MeanEffect) -> Verdict | None:
        s, fresh = self.settings, self.effects_.mean(fresh=True)
        if found.blocks < s.minimum_blocks:
            return None
        gain = found.gain_probability(s.prior, s.edge_scale)
        harm = found.harm_probability(s.prior, s.edge_scale)
        if fresh.blocks >= s.minimum_blocks:
            harm = max(harm, fresh.harm_probability(s.prior, s.edge_scale))
        if self.range_ > 0.0 and harm >= s.harm:
            return "off"
        if self.range_ > 0.0 and harm >= s.certainty <= 1.0 - fresh.flat_probability():
            return "narrower"
        return "wider" if gain >= s.certainty <= fresh.flat_probability() else None

    def _moved(self, verdict: Verdict) -> float:
        s, now = self.settings, self.range_
        if verdict == "off":
            return 0.0
        if verdict == "narrower":
            return min(now, max(round(now * s.narrowing, 10), s.floor))
        # Rounded, as ten steps of .1 in binary would miss the cap by a bit.
        return min(round(now + s.step, 10) if now > 0.0 else s.start, self.cap)

    def _review_pairs(self, time: int) -> list[PairChange]:
        s, changes = self.settings, []
        odds = s.prior / (1.0 - s.prior) / max(1, len(self.pairs_))
        for name, record in self.pairs_.items():
            record.effects.drop_before(time - s.window_days * SECONDS_PER_DAY)
            found = record.effects.mean()
            if found.blocks < s.minimum_blocks:
                continue
            if record.on:
                prior = odds / (1.0 + odds)
                on = found.harm_probability(prior, s.edge_scale) < s.harm
            else:
                prior = s.prior
                on = found.gain_probability(prior, s.edge_scale) >= s.certainty
            if on != record.on:
                changes.append(
                    PairChange(time, name, float(record.on), float(on), self._reason(found, prior))
                )
                record.on = on
                record.effects.clear()
        return changes

    def _reason(self, found: MeanEffect, prior: float) -> str:
        s = self.settings
        gain, harm = found.gain_probability(prior, s.edge_scale), found.harm_probability(prior, s.edge_scale)
        return (
            f"{found.effects} effects of {found.gain.mean:+.3f} R (standard error {found.gain.error:.3f}, "
            f"{found.blocks} blocks of {s.block_days} days): P(gain) {gain:.2f}, P(harm) {harm:.2f}"
        )


def begin_anew(failed: Trust, time: int, error: Exception) -> tuple[Trust, PairChange]:
    """A trust in the place of one that raised, as if nothing had been learned; and the change, for log and ledger."""
    fresh = Trust(failed.settings, failed.cap)
    reason = f"raised {type(error).__name__}: {error}; it begins anew"
    return fresh, PairChange(time, "", failed.range_, fresh.range_, reason)
