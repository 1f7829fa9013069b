"""Where a bot keeps small states so that a restart takes them up again (a bot's ledger is one)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["StateStore"]


class StateStore(Protocol):
    """Named states, each with the candle it belongs to."""

    def load_state(self, name: str) -> Mapping[str, Any] | None:
        """The newest state stored under a name, None without any."""

    def store_state(self, name: str, time: int, state: Mapping[str, Any]) -> None:
        """Store a state after the candle that opened at ``time`` (seconds since the epoch)."""
