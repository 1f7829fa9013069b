"""The fold of a running bot: new signals candle by candle, outcomes day by day, everything else remembered.

Pairs arrive one after another and again with every candle; what was decided once stays decided. Before the first
candle it learns from the history in the frames (warm start). Its state at the beginning of a day, with the signals
whose outcome is open, is all a restart needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from coordinator.decision.decisions import Decisions
from coordinator.decision.fold import STEP_SECONDS, Fold
from coordinator.decision.history import SignalHistory
from coordinator.decision.table import ARRAYS, UNRESOLVED, SignalTable, join_tables
from coordinator.decision.voting import COMPONENTS, Votes
from coordinator.settings import Settings
from coordinator.signals.tactics import TACTICS
from coordinator.types import Ints

__all__ = ["LiveFold"]

WIDTHS = {
    "tactic_direction": (len(TACTICS),),
    "tactic_confidence": (len(TACTICS),),
    "percentile": (len(COMPONENTS),),
    "share": (len(COMPONENTS),),
}
MEMORY_DAYS = 60  # signals remembered so that they are not decided anew; beyond any horizon a frame can show


class LiveFold:
    """Decides for a bot.

    Parameters
    ----------
    settings : Settings
    can_short : bool

    Attributes
    ----------
    fold : what was learned
    day_state : state at the beginning of the present day, or None before the first: what to store
    new_signals, new_outcomes : (time, pair) of the signals that the last call decided, and of those it saw resolved
    before : signals of before the frames, which the warm start learns from too
    """

    def __init__(self, settings: Settings, *, can_short: bool = True) -> None:
        self.settings = settings
        self.can_short = can_short
        self.fold = Fold(settings, can_short=can_short)
        self.day_state: dict[str, Any] | None = None
        self._table: SignalTable | None = None
        self._out = Decisions.empty(0)
        self.new_signals: list[tuple[int, str]] = []
        self.new_outcomes: list[tuple[int, str]] = []
        self._learned: set[tuple[int, str]] = set()
        self._warm_at: int | None = None
        self.before: SignalHistory | None = None
        self._first_day: SignalHistory | None = None  # of ``before``, the day on which the run begins

    def decide(self, table: SignalTable, now: int) -> Decisions:
        """Decisions on every signal of the frames' table; only those not decided before are decided now.

        Signals of days before the present one that arrived too late are not decided: they have no confidence
        and are not accepted (rejection -1).

        Parameters
        ----------
        table : SignalTable
            Signals and outcomes as the frames show them now.
        now : int
            Open time of the newest closed candle.
        """
        if not len(table):
            return Decisions.empty(0)
        if self._table is None or self._still_warming(table, now):
            self._warm_start(table, now)
        self.new_signals, self.new_outcomes = [], []
        self._learn_outcomes(table)
        known = set(self._remembered().signal_keys())
        today = self.fold.step_ or 0
        source = table if self._first_day is None else self._first_day.before(table)
        late = source.time < today  # too late to trade and to rank: the day it belongs to is closed
        new = [i for i, key in enumerate(source.signal_keys()) if key not in known and not late[i]]
        self._decide_new(source, np.array(new, dtype=np.int64))
        return self._of(table)

    def _decide_new(self, table: SignalTable, new: Ints) -> None:
        for moment in np.unique(table.time[new]):
            day = int(moment) // STEP_SECONDS * STEP_SECONDS
            if self.fold.step_ is None or day > self.fold.step_:
                self._begin_day(day)
            rows = table.rows(new[table.time[new] == moment])
            self._remember(rows, self.fold.decide(rows))

    def warming(self, now: int) -> bool:
        """Whether pairs of the very first candle may still arrive: until they have, its decisions are not final."""
        return now == self._warm_at

    def state(self) -> dict[str, Any] | None:
        """State at the beginning of the present day, JSON types; None before the first."""
        return self.day_state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a stored day; its signals so far are decided again, to the same numbers."""
        self.fold.restore(state["fold"])
        self._table, self._out = _from_json(state["open"])
        self._learned = set()
        self.day_state = dict(state)
        self._warm_at = None
        first_day = state.get("first_day")
        if first_day is not None:
            self._first_day = SignalHistory(_from_json(first_day["signals"])[0], first_day["until"])

    def _still_warming(self, table: SignalTable, now: int) -> bool:
        """Whether the pairs of the very first candle are still arriving."""
        remembered = self._remembered()
        fresh = {table.pairs[i] for i in np.unique(table.pair)} - {
            remembered.pairs[i] for i in np.unique(remembered.pair)
        }
        return bool(fresh) and self.warming(now)

    def _warm_start(self, table: SignalTable, now: int) -> None:
        self.fold = Fold(self.settings, can_short=self.can_short)
        today = now // STEP_SECONDS * STEP_SECONDS
        if self.before is not None:
            table = self.before.before(table)
            # The frames show the beginning of this day without what the models would have said.
            rows = self.before.table.rows(self.before.table.time >= today)
            self._first_day = SignalHistory(rows, self.before.until) if len(rows) else None
        history = table.rows(table.time < today)
        self._table, self._out = history, self.fold.run(history)
        limit = self.fold.step_ or 0
        learned = (history.outcome_time != UNRESOLVED) & (history.known_at() <= limit)
        self._learned = {key for key, done in zip(history.signal_keys(), learned, strict=True) if done}
        self._warm_at = now

    def _remembered(self) -> SignalTable:
        assert self._table is not None
        return self._table

    def _remember(self, rows: SignalTable, decided: Decisions) -> None:
        self._table, self._out = join_tables(self._remembered(), rows), Decisions.join(self._out, decided)
        self.new_signals += rows.signal_keys()

    def _learn_outcomes(self, table: SignalTable) -> None:
        """Take over what the frames now know about remembered signals; what was known once stays."""
        remembered = self._remembered()
        row_of = {key: i for i, key in enumerate(table.signal_keys())}
        open_rows = np.flatnonzero(remembered.outcome_time == UNRESOLVED)
        keys = remembered.signal_keys()
        pairs = [(i, row_of[keys[i]]) for i in open_rows.tolist() if keys[i] in row_of]
        if not pairs:
            return
        open_at, row_at = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
        columns = {name: getattr(remembered, name).copy() for name in ARRAYS if name.startswith("outcome_")}
        for name, values in columns.items():
            values[open_at] = getattr(table, name)[row_at]
        self._table = replace(remembered, **columns)
        done = open_at[self._table.outcome_time[open_at] != UNRESOLVED]
        self.new_outcomes = [keys[i] for i in done.tolist()]

    def _begin_day(self, day: int) -> None:
        remembered, out = self._remembered(), self._out
        order = np.lexsort((remembered.pair, remembered.time))
        remembered, out = remembered.rows(order), out.rows(order)
        keys = remembered.signal_keys()
        ready = (remembered.outcome_time != UNRESOLVED) & (remembered.known_at() <= day)
        to_learn = np.array(
            [i for i in np.flatnonzero(ready) if keys[i] not in self._learned], dtype=np.int64
        )
        self.fold.begin_day(day, remembered.rows(to_learn), out.rows(to_learn), known_before=-1)
        self._learned |= {keys[i] for i in to_learn.tolist()}
        recent = remembered.time >= day - MEMORY_DAYS * STEP_SECONDS
        self._table, self._out = remembered.rows(recent), out.rows(recent)
        self._learned &= set(self._table.signal_keys())
        self.day_state = {"fold": self.fold.state(), "open": self._open_rows()}
        if self._first_day is not None and day >= self._first_day.until:
            self._first_day = None
        if self._first_day is not None:
            signals = self._first_day.table
            self.day_state["first_day"] = {
                "signals": _to_json(signals, Decisions.empty(len(signals))),
                "until": self._first_day.until,
            }

    def _open_rows(self) -> dict[str, Any]:
        """The signals whose outcomes have yet to be learned."""
        remembered = self._remembered()
        waiting = np.array([key not in self._learned for key in remembered.signal_keys()], dtype=bool)
        return _to_json(remembered.rows(waiting), self._out.rows(waiting))

    def _of(self, table: SignalTable) -> Decisions:
        row_of = {key: i for i, key in enumerate(self._remembered().signal_keys())}
        index = np.array([row_of.get(key, len(row_of)) for key in table.signal_keys()], dtype=np.int64)
        return Decisions.join(self._out, Decisions.empty(1)).rows(index)


def _to_json(table: SignalTable, decided: Decisions) -> dict[str, Any]:
    votes = {
        name: [_plain(vote.direction), _plain(vote.confidence), _plain(vote.score)]
        for name, vote in table.votes.items()
    }
    return {
        "pairs": list(table.pairs),
        "candle_seconds": table.candle_seconds,
        "signals": {name: _plain(getattr(table, name)) for name in ARRAYS},
        "votes": votes,
        "decisions": {f.name: _plain(getattr(decided, f.name)) for f in fields(decided)},
    }


def _from_json(data: Mapping[str, Any]) -> tuple[SignalTable, Decisions]:
    floats = {"stop", "target", "tactic_confidence", "outcome_r"}
    n = len(data["signals"]["time"])
    signals = {
        name: _array(name, values, float if name in floats else np.int64, n)
        for name, values in data["signals"].items()
    }
    votes = {
        name: Votes(*(_array(name, part, float, n) for part in parts))
        for name, parts in data["votes"].items()
    }
    table = SignalTable(
        pairs=tuple(data["pairs"]), candle_seconds=data["candle_seconds"], votes=votes, **signals
    )
    kinds = {name: values.dtype for name, values in vars(Decisions.empty(0)).items()}
    decided = {name: _array(name, values, kinds[name], n) for name, values in data["decisions"].items()}
    return table, Decisions(**decided)


def _plain(values: Any) -> list[Any]:
    """Nested lists with None for NaN and a text for infinity, which JSON does not have."""
    if values.dtype.kind != "f":
        listed: list[Any] = values.tolist()
        return listed
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    plain[np.isposinf(values)] = "inf"  # a signal without a target
    nested: list[Any] = plain.tolist()
    return nested


def _array(name: str, values: list[Any], kind: Any, n: int) -> Any:
    """The inverse; an empty list does not tell how wide its rows would be."""
    array = np.array(values, dtype=kind)
    return array if n else array.reshape(0, *WIDTHS.get(name, ()))
