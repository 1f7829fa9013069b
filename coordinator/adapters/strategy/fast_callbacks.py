"""Asks the plan before Freqtrade copies the trade.

Freqtrade deep-copies a trade before every callback that receives it (about 100 us, far more than the callbacks
themselves need). These overrides look at the trade first and skip callbacks that would return nothing. They change no
result, whatever the user's own exits are: with ``fast_callbacks = False``, or should Freqtrade rename what is
overridden here, the documented callbacks do the same (``tests/e2e/test_own_settings.py`` compares the two).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from datetime import datetime
from typing import Any

from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy

from coordinator.adapters.strategy.exchange_stop import stop_left_behind

__all__ = ["FastCallbackStrategy"]


class FastCallbackStrategy(IStrategy):
    """Subclasses answer questions about a trade without changing it.

    The user's ``minimal_roi``, ``trailing_stop`` and ``use_exit_signal`` act beside the plan as Freqtrade documents
    them for ``custom_roi``, ``custom_stoploss`` and ``custom_exit``; the hedge, which is the portfolio's, has neither
    roi nor trailing stop.
    """

    fast_callbacks = True
    is_bot: bool

    @abstractmethod
    def is_hedge(self, trade: Trade) -> bool:
        """Whether a trade is the portfolio's hedge."""

    @abstractmethod
    def adjustment_due(self, trade: Trade, rate: float, now: datetime) -> bool:
        """Whether ``adjust_trade_position`` has something to do at a price."""

    @abstractmethod
    def better_stop(self, trade: Trade, rate: float, now: datetime) -> float | None:
        """The stop's price at the candle's best rate where it improves on the trade's, else None."""

    @abstractmethod
    def target_profit(self, trade: Trade, now: datetime) -> float:
        """Profit ratio at which the target is reached, infinite without one."""

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
        if self.is_hedge(trade):
            trade.adjust_stop_loss(trade.open_rate, force_stoploss or self.stoploss, initial=True)
            return
        settled = trade.initial_stop_loss_pct is not None and not self.trailing_stop and not force_stoploss
        if self.fast_callbacks and settled:
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
        if self.is_hedge(trade):
            return None, None
        if not self.fast_callbacks:
            entry: tuple[int | None, float | None] = super().min_roi_reached_entry(
                trade, trade_dur, current_time
            )
            return entry
        target = self.target_profit(trade, current_time)
        since = max((minutes for minutes in self.minimal_roi if minutes <= trade_dur), default=None)
        own = None if since is None else self.minimal_roi[since]
        if math.isfinite(target) and (own is None or target < own):
            return trade_dur, target
        return since, own

    def should_exit(
        self, trade: Trade, rate: float, current_time: datetime, **kwargs: Any
    ) -> list[ExitCheckTuple]:
        """Freqtrade's exits with the target in words; the plan's own come first, as they fill at the open."""
        exits: list[ExitCheckTuple] = super().should_exit(trade, rate, current_time, **kwargs)
        for i, found in enumerate(exits):
            if found.exit_type == ExitType.ROI and self._is_target(trade, current_time):
                exits[i] = ExitCheckTuple(ExitType.ROI, "target reached")
        reason = self.exit_reason(trade, rate, current_time) if self.use_exit_signal else None
        if reason is not None:
            exits.insert(0, ExitCheckTuple(ExitType.CUSTOM_EXIT, reason))
        if self.is_bot and not self.config["dry_run"] and stop_left_behind(trade, rate, self.order_types):
            exits.insert(0, ExitCheckTuple(ExitType.STOP_LOSS))
        return exits

    def _is_target(self, trade: Trade, now: datetime) -> bool:
        """Whether what was reached is the plan's target, not the user's roi."""
        if not self.minimal_roi:
            return True
        minutes = int((now.timestamp() - trade.open_date_utc.timestamp()) // 60)
        _, reached = self.min_roi_reached_entry(trade, minutes, now)
        return reached is not None and self.target_profit(trade, now) <= reached
