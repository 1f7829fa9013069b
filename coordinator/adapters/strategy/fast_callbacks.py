"""Asks the plan before Freqtrade copies the trade.

Freqtrade deep-copies a trade before every callback that receives it (about 100 us, far more than the callbacks
themselves need). These overrides look at the trade first and skip callbacks that would return nothing. They change no
result: with ``fast_callbacks = False``, or should Freqtrade rename what is overridden here, the documented callbacks
do the same (``tests/e2e`` compares the two).
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Any

from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy

from coordinator.adapters.strategy.exchange_stop import stop_left_behind

__all__ = ["FastCallbackStrategy"]


class FastCallbackStrategy(IStrategy):
    """Subclasses answer three questions about a trade without changing it."""

    fast_callbacks = True
    is_bot: bool

    @abstractmethod
    def adjustment_due(self, trade: Trade, rate: float, now: datetime) -> bool:
        """Whether ``adjust_trade_position`` has something to do at a price."""

    @abstractmethod
    def better_stop(self, trade: Trade, rate: float, now: datetime) -> float | None:
        """The stop's price at the candle's best rate where it improves on the trade's, else None."""

    @abstractmethod
    def target_profit(self, trade: Trade, now: datetime) -> float:
        """Profit ratio at which the target is reached."""

    @abstractmethod
    def exit_reason(self, trade: Trade, rate: float, now: datetime) -> str | None:
        """Why the position must be closed at the market now, or None."""

    def _adjust_trade_position_internal(
        self, trade: Trade, current_time: datetime, current_rate: float, *args: Any, **kwargs: Any
    ) -> tuple[float | None, str]:
        if self.fast_callbacks and not self.adjustment_due(trade, current_rate, current_time):
            return None, ""
        return super()._adjust_trade_position_internal(trade, current_time, current_rate, *args, **kwargs)

    def ft_stoploss_adjust(
        self,
        current_rate: float,
        trade: Trade,
        current_time: datetime,
        current_profit: float,
        force_stoploss: float,
        low: float | None = None,
        high: float | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if self.fast_callbacks and trade.initial_stop_loss_pct is not None:
            bound = low if trade.is_short else high
            if self.better_stop(trade, bound or current_rate, current_time) is None:
                return
        super().ft_stoploss_adjust(
            current_rate, trade, current_time, current_profit, force_stoploss, low, high, *args, **kwargs
        )
        first_fill = trade.nr_of_successful_entries == 1 and not trade.nr_of_successful_exits
        if kwargs.get("after_fill") and first_fill and not self.is_bot:
            # Freqtrade keeps the last resort as the initial stop; a result is to say what the trade risked. A bot's
            # stays, as Freqtrade would set its stop back to the last resort at a restart.
            trade.initial_stop_loss, trade.initial_stop_loss_pct = trade.stop_loss, trade.stop_loss_pct

    def min_roi_reached_entry(
        self, trade: Trade, trade_dur: int, current_time: datetime
    ) -> tuple[int | None, float | None]:
        if self.fast_callbacks:
            return trade_dur, self.target_profit(trade, current_time)
        entry: tuple[int | None, float | None] = super().min_roi_reached_entry(trade, trade_dur, current_time)
        return entry

    def should_exit(
        self, trade: Trade, rate: float, current_time: datetime, **kwargs: Any
    ) -> list[ExitCheckTuple]:
        """Freqtrade's exits with the target in words; the plan's own come first, as they fill at the open."""
        exits = [
            ExitCheckTuple(ExitType.ROI, "target reached") if exit_.exit_type == ExitType.ROI else exit_
            for exit_ in super().should_exit(trade, rate, current_time, **kwargs)
        ]
        reason = self.exit_reason(trade, rate, current_time)
        if reason is not None:
            exits.insert(0, ExitCheckTuple(ExitType.CUSTOM_EXIT, reason))
        if self.is_bot and not self.config["dry_run"] and stop_left_behind(trade, rate, self.order_types):
            exits.insert(0, ExitCheckTuple(ExitType.STOP_LOSS))
        return exits
