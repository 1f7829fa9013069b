"""What the rules of a run read of an open trade; Freqtrade's ``Trade`` has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

__all__ = ["OpenTrade"]


class OpenTrade(Protocol):
    """An open trade, under Freqtrade's own names; rules never change it."""

    pair: str
    open_date: datetime
    open_rate: float

    @property
    def open_date_utc(self) -> datetime:
        """Time of its opening."""

    @property
    def nr_of_successful_entries(self) -> int:
        """Entry orders filled."""

    @property
    def nr_of_successful_exits(self) -> int:
        """Exit orders filled."""

    @property
    def exit_side(self) -> str:
        """ "buy" or "sell"."""

    @property
    def orders(self) -> Sequence[Any]:
        """Its orders, with ft_order_side, ft_is_open, filled and ft_order_tag."""
