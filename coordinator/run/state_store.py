"""Where a bot keeps states beside its learners' (``LiveRun`` is one)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["StateStore"]


class StateStore(Protocol):
    """Where a bot's state is kept."""

    def load_state(self, name: str) -> Mapping[str, Any] | None:
        """The last state kept under a name."""

    def store_state(self, name: str, time: int, state: Mapping[str, Any]) -> None:
        """Keep a state."""
