"""Where views read: the ledger, through connections of their own, and what the bot copied from its memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from coordinator.ledger.store import Ledger
from coordinator.reports.rolling.run_data import RunData, load_run
from coordinator.run.learning_records import FOLD
from coordinator.settings import Settings
from coordinator.status.base import unknown_pair
from coordinator.status.facts import Facts
from coordinator.types import FAR_FUTURE, SECONDS_PER_DAY

__all__ = ["NOTHING_YET", "Source", "read_run_id"]

NOTHING_YET = "nothing yet: the first rows come when a candle has closed"
KEPT_SECONDS = 20.0


class Source:
    """What views are made of; safe to use from any thread.

    The run's rows are read at most every 20 seconds and with every candle or change of the open trades, by one thread
    at a time, so that nobody who asks again and again keeps the bot from its work.

    Parameters
    ----------
    ledger : an object of its own, not the bot's
    run_id : the bot's run; None: the ledger's newest one when asked
    settings : that hold
    uses_ml : whether ML can have a say
    facts : gives the newest facts; None without a bot
    """

    def __init__(
        self,
        ledger: Ledger,
        settings: Settings,
        *,
        run_id: int | None = None,
        uses_ml: bool = True,
        facts: Callable[[], Facts | None] = lambda: None,
    ) -> None:
        self.ledger, self.settings, self.uses_ml = ledger, settings, uses_ml
        self._run_id, self._facts = run_id, facts
        self._lock = threading.Lock()
        self._run: tuple[float, object, RunData] | None = None

    @property
    def facts(self) -> Facts | None:
        """The newest; None without a bot, and before its first candle."""
        return self._facts()

    @property
    def run_id(self) -> int | None:
        """The run that views are of; None where the ledger has none."""
        return self._run_id if self._run_id is not None else read_run_id(self.ledger)

    def run(self) -> RunData | None:
        """The run's rows, at most 20 seconds old; None where there are none yet."""
        run_id = self.run_id
        if run_id is None:
            return None
        facts = self.facts
        state = (run_id, None if facts is None else (facts.candle, facts.trades))
        with self._lock:
            kept, now = self._run, time.monotonic()
            if kept is None or kept[1] != state or now - kept[0] > KEPT_SECONDS:
                kept = self._run = now, state, load_run(self.ledger, run_id)
        return kept[2] if len(kept[2].days) else None

    def window(self) -> tuple[RunData, int] | None:
        """The run's rows and the midnight at which the day of its newest row ends; None where there are none yet."""
        run = self.run()
        return None if run is None else (run, int(run.days[-1] + 1) * SECONDS_PER_DAY)

    def learners(self) -> Mapping[str, Any] | None:
        """What was learned, from the bot or from its last snapshot in the ledger; None before the first."""
        facts = self.facts
        if facts is not None and facts.learners is not None:
            return facts.learners
        state = self.state(FOLD)
        return None if state is None else state["fold"]["learners"]

    def state(self, name: str) -> Mapping[str, Any] | None:
        """The newest state that the run stored under a name."""
        run_id = self.run_id
        snapshot = None if run_id is None else self.ledger.snapshot(run_id, name, FAR_FUTURE)
        return None if snapshot is None else snapshot.state

    def pairs(self) -> tuple[str, ...]:
        """The pairs that there is anything about, sorted: the bot's, else those with signals in the ledger."""
        facts = self.facts
        names = set() if facts is None else {*facts.pairs, *facts.newest, *(t.pair for t in facts.trades)}
        if not names:
            run = self.run()
            names = set() if run is None else set(run.decisions["pair"])
        return tuple(sorted(names))

    def check_pair(self, pair: str) -> None:
        """Raise :class:`~coordinator.status.base.UnknownPairError` for a pair that there is nothing about."""
        pairs = self.pairs()
        if pair not in pairs:
            raise unknown_pair(pair, pairs)


def read_run_id(ledger: Ledger) -> int | None:
    """The newest live run of a ledger, or its newest run; None where there is no ledger or no run."""
    if not ledger.database.exists:
        return None
    runs = ledger.runs()
    if not len(runs):
        return None
    live = runs[runs["kind"] == "live"]
    return int((live if len(live) else runs)["id"].iloc[-1])
