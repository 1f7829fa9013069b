"""Which alerts are sent: as the settings have it, and each once per cause, over restarts too."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from coordinator.settings.alerts import AlertKind, AlertSettings

__all__ = ["PREFIX", "AlertBook", "AlertStore", "chat_text", "state_name"]

logger = logging.getLogger(__name__)

PREFIX = "told "
"""Beginning of the names under which the ledger keeps what was told."""
MARKS = str.maketrans("_[]`", " ()'", "*")
LONGEST = 3500  # characters: Telegram takes 4096


class AlertStore(Protocol):
    """Where it is kept what was told; ``coordinator.run.live.ledger.LiveLedger`` is one."""

    def store_state(self, name: str, time: int, state: Mapping[str, Any]) -> None:
        """Store a state after a candle."""


class AlertBook:
    """Tells once.

    Written down first and sent then: a bot that is killed in between has told too little rather than twice. While
    the ledger takes nothing, it is remembered in memory.

    Parameters
    ----------
    settings : AlertSettings
    store : the bot's ledger
    told : names of what was told before (:func:`state_name`)
    send : sends a text through Freqtrade's channels
    """

    def __init__(
        self, settings: AlertSettings, store: AlertStore, told: set[str], send: Callable[[str], None]
    ) -> None:
        self.settings, self._store, self._told, self._send = settings, store, told, send

    def was_told(self, kind: str, cause: str) -> bool:
        """Whether it was told already."""
        return state_name(kind, cause) in self._told

    def tell(self, kind: AlertKind, cause: str, message: str, now: datetime, candle: int) -> bool:
        """Send an alert unless its kind is off or its cause was told before; whether it was sent.

        Parameters
        ----------
        now : timezone-aware
        candle : open time of the newest closed candle, under which the ledger keeps it
        """
        if not (self.settings.enabled and getattr(self.settings, kind)) or self.was_told(kind, cause):
            return False
        self.note(kind, cause, message, now, candle)
        self._send(chat_text(message))
        return True

    def note(self, kind: str, cause: str, message: str, now: datetime, candle: int) -> None:
        """Take it as told without sending it."""
        name = state_name(kind, cause)
        self._told.add(name)
        state = {"kind": kind, "cause": cause, "message": message, "at": now.isoformat(timespec="seconds")}
        self._store.store_state(name, candle, state)

    def send_daily(self, day: str, message: str, now: datetime, candle: int) -> bool:
        """Send a day's summary, once; whether it was sent."""
        if self.was_told("daily", day):
            return False
        self.note("daily", day, message, now, candle)
        self._send(f"```\n{chat_text(message)}\n```")  # a table: Telegram and Discord show it in one width
        return True


def state_name(kind: str, cause: str) -> str:
    """Name of the state that stands for an alert; at most 64 characters whatever the cause.

    >>> state_name("hedge", "on 1700000000")
    'told hedge 256e1ddfbc8c81317e556fed'
    """
    return f"{PREFIX}{kind} {hashlib.sha256(cause.encode()).hexdigest()[:24]}"


def chat_text(message: str) -> str:
    """A text that Telegram's Markdown, in which Freqtrade sends it, takes as it is: without its marks, not too long.

    An unclosed underscore is enough for Telegram to refuse a message.

    >>> chat_text("signal_quality has *drifted* [now]")
    'signal quality has drifted (now)'
    """
    plain = message.translate(MARKS)
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]} ..."
