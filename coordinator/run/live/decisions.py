"""Where a live decision is made: the live fold over the analysed market, its state and results in the bot's ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from coordinator.decision.decisions import Decisions
from coordinator.decision.live import LiveFold
from coordinator.decision.table import SignalTable
from coordinator.ledger.records import CandleRecord
from coordinator.run.learning_records import FOLD
from coordinator.run.live.ledger import LiveLedger
from coordinator.settings import Settings

__all__ = ["LiveDecisions"]

logger = logging.getLogger(__name__)


class LiveDecisions:
    """Decides candle by candle. A restart continues from the state at the beginning of the day in the ledger.

    Parameters
    ----------
    settings : Settings
    ledger : the bot's
    can_short : bool

    Attributes
    ----------
    fold : what was learned
    continues : whether it goes on from a stored state, so that nothing of before is learned anew
    """

    def __init__(self, settings: Settings, ledger: LiveLedger, *, can_short: bool) -> None:
        self.ledger = ledger
        self.fold = LiveFold(settings, can_short=can_short)
        snapshot = ledger.snapshot(FOLD)
        self.continues = snapshot is not None
        if snapshot is not None:
            self.fold.restore(snapshot.state)
            logger.info("Learners continue from %s", datetime.fromtimestamp(snapshot.time, tz=UTC))

    @property
    def settings(self) -> Settings:
        """The settings of the run."""
        return self.fold.settings

    def decide(self, signals: SignalTable, now: int) -> Decisions:
        """Decisions on the frames' signals; those decided at earlier candles stay as they are.

        Parameters
        ----------
        now : open time of the newest closed candle
        """
        return self.fold.decide(signals, now)

    def write(
        self,
        signals: SignalTable,
        frame_of: Callable[[list[int]], pd.DataFrame],
        records_of: Callable[[list[int]], dict[int, CandleRecord]],
        now: int,
    ) -> None:
        """Write what the last call of ``decide`` decided and saw resolved; see ``LiveLedger.write``."""
        self.ledger.write(self.fold, signals, frame_of, records_of, now)

    def warming(self, now: int) -> bool:
        """Whether pairs of the very first candle may still arrive: until they have, its decisions are not final."""
        return self.fold.warming(now)

    # --- states beside the fold's (``coordinator.portfolio.state_store``) -------------------------------------

    def load_state(self, name: str) -> dict[str, Any] | None:
        """The newest state stored under a name, None without any."""
        return self.ledger.load_state(name)

    def store_state(self, name: str, time: int, state: Mapping[str, Any]) -> None:
        """Store a state after a candle."""
        self.ledger.store_state(name, time, state)
