"""Whether the correlation filter may refuse: what refused entries would have made, against allowed ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from coordinator.decision.fold import STEP_SECONDS
from coordinator.decision.pair_records import PairChange
from coordinator.decision.table import UNRESOLVED
from coordinator.decision.trust import Trust, begin_anew
from coordinator.portfolio.state_store import StateStore
from coordinator.run.market import AnalysedMarket
from coordinator.settings import Settings
from coordinator.signals.clock import pair_of

__all__ = ["FilterTrust"]

NAME = "trust_correlation_filter"


class FilterTrust:
    """Learns once a day from the entries that were checked, refused ones by their virtual trades.

    The effect of a refusal is the mean R of the allowed entries known so far less the R of the refused signal: a
    filter that refuses the better ones harms, and is switched off until its refusals look right again. It refuses or
    does not; there is no range to widen.
    """

    def __init__(self, market: AnalysedMarket, settings: Settings) -> None:
        self._market, self._settings = market, settings
        self._store: StateStore | None = None
        self._reset()

    def _reset(self) -> None:
        self._trust = Trust(self._settings.improvements.trust)
        self._step: int | None = None
        self._waiting: list[tuple[int, str, bool]] = []
        self._allowed = (0.0, 0)
        self._failed: list[PairChange] = []

    def use_store(self, store: StateStore) -> None:
        """Store the state from now on, and continue from the one stored."""
        self._store = store
        state = store.load_state(NAME)
        if state is not None:
            self._trust.restore(state["trust"])
            self._step, self._allowed = state["step"], (state["allowed"][0], state["allowed"][1])
            self._waiting = [(time, pair, refused) for time, pair, refused in state["waiting"]]

    def acts(self, pair: str) -> bool:
        """Whether a refusal counts."""
        if not self._settings.improvements.trust.enabled:
            return True
        try:
            return bool(self._trust.predict([pair])[0] > 0)
        except Exception as error:
            self._failed.append(self._begin_anew(self._step or 0, error))
            return True  # as at first

    def _begin_anew(self, time: int, error: Exception) -> PairChange:
        self._trust, change = begin_anew(self._trust, time, error)
        return change

    def add_check(self, time: int, pair: str, refused: bool) -> None:
        """An entry was checked against the limits, for the first time on its candle."""
        self._waiting.append((time, pair, refused))

    def begin_day(self, time: int) -> list[PairChange]:
        """Begin the day of a candle; learns what was known by its start. An earlier day begins anew (backtests)."""
        day = time // STEP_SECONDS * STEP_SECONDS
        if self._step is not None and day < self._step and self._store is None:
            self._reset()
        if self._step is not None and day <= self._step:
            return []
        self._step = day
        names, effects = self._effects(day)
        try:
            changes = self._trust.learn(day, names, np.array(effects))
        except Exception as error:  # whatever it is, entries go on
            changes = [self._begin_anew(day, error)]
        if self._store is not None:
            self._store.store_state(NAME, day, self._state())
        failed, self._failed = self._failed[:1], []  # the day before: told once
        return failed + changes

    def _effects(self, day: int) -> tuple[list[str], list[float]]:
        """Pairs and effects of what became known; the rest goes on waiting, what is not in the frames is dropped."""
        names: list[str] = []
        effects: list[float] = []
        total, count = self._allowed
        still = []
        for time, pair, refused in self._waiting:
            known, r = self._outcome(time, pair)
            if known is None:
                continue
            if known > day:
                still.append((time, pair, refused))
            elif not refused:
                total, count = total + r, count + 1
            elif count:
                names.append(pair)
                effects.append(total / count - r)
        self._waiting, self._allowed = still, (total, count)
        return names, effects

    def _outcome(self, time: int, pair: str) -> tuple[int | None, float]:
        """When a signal's outcome is known (far away where it is not), and its R; None without the signal."""
        table = self._market.signals(self._settings)
        first, last = np.searchsorted(table.time, (time, time + 1)).tolist()
        for i in range(first, last):
            if pair_of(table.pairs[table.pair[i]]) == pair:
                resolved = int(table.outcome_time[i])
                known = resolved if resolved == UNRESOLVED else resolved + table.candle_seconds
                return known, float(table.outcome_r[i])
        return None, float("nan")

    def _state(self) -> dict[str, Any]:
        return {
            "trust": self._trust.state(),
            "step": self._step,
            "allowed": list(self._allowed),
            "waiting": [list(row) for row in self._waiting],
        }
