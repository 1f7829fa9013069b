"""Freqtrade's callbacks about open trades: tranches, stops, targets and exits, wired to the library.

``signals.CoordinatorStrategy`` adds the signals. Linear inheritance: mixins break hyperopt's pickling.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from freqtrade.persistence import Order, Trade
from freqtrade.strategy import stoploss_from_absolute

from coordinator.adapters.persistence.plan_book import planned_stake
from coordinator.adapters.strategy.entries import EntryStrategy
from coordinator.run.position_rules import SCALE_OUT
from coordinator.trade.exits import scale_out_stake
from coordinator.trade.plan import Plan
from coordinator.trade.sizing import tranche_stake
from coordinator.trade.stops import stop_rate

__all__ = ["TradeStrategy"]


class TradeStrategy(EntryStrategy):
    """What becomes of open trades: DCA entries, ATR and trailing stops, targets by reward:risk, exits."""

    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """A bot keeps its fills beside the virtual trades, and on the trade what it was entered on."""
        if not self.is_bot:
            return
        if self.hedging.is_hedge(trade):
            self.trade_recorder.hedge_filled(trade, self.hedging.monitor.hedge.reason)
            return
        self.record_fills(trade)

    def record_fills(self, trade: Trade) -> None:
        """Bring a bot's ledger and the trade's custom data up to date, as soon as the trade's plan can be known."""
        if self.plans.awaits_analysis(trade):
            self.trade_recorder.postpone()
            return
        plan, signal_time = self._plan(trade), self.plans.last_closed(trade.open_date_utc)
        widest_stop = abs(self.stoploss) / trade.leverage
        self.trade_recorder.order_filled(trade, plan, signal_time, self._time_limit(plan)[1], widest_stop)

    def _time_limit(self, plan: Plan) -> tuple[timedelta, str]:
        """How long a trade may last, and the same in words."""
        return self._time_limits.get(plan.clock) or self._time_limits[self.settings.clock_names[0]]

    def adjustment_due(self, trade: Trade, rate: float, now: datetime) -> bool:
        if self.hedging.owns_adjustment(trade):
            return self.hedging.adjustment(trade, rate, 0.0, float("inf")) is not None
        plan = self._plan(trade)
        return self.rules.tranche_due(trade, plan, rate, now) or (
            self.rules.scale_out(trade, plan.direction, rate, now) > 0
        )

    def adjust_trade_position(
        self,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        **kwargs: Any,
    ) -> float | tuple[float | None, str | None] | None:
        """The next tranche, when the price has gone far enough against the position; a part out of a profit."""
        if trade.has_open_orders:
            return None
        if self.hedging.owns_adjustment(trade):
            return self.hedging.adjustment(trade, current_rate, min_stake or 0.0, max_stake)
        plan, minimum = self._plan(trade), min_stake or 0.0
        entries, filled = plan.entries, trade.nr_of_successful_entries
        if self.rules.tranche_due(trade, plan, current_rate, current_time):
            stake = tranche_stake(planned_stake(trade, plan), entries, filled, minimum)
            return (
                (min(stake, max_stake), f"tranche {filled + 1} of {len(entries.shares)}") if stake else None
            )
        level = self.rules.scale_out(trade, plan.direction, current_rate, current_time)
        if not level:
            return None
        value = trade.amount * current_rate / trade.leverage
        stake = scale_out_stake(trade.stake_amount, value, minimum, self.settings.exits)
        return (-stake, f"{SCALE_OUT} {level} of 2") if stake else None

    def better_stop(self, trade: Trade, rate: float, now: datetime) -> float | None:
        """Planned stop, then trailing by profit tier; only ever in the trade's favour, whatever fills."""
        if self.hedging.is_hedge(trade):
            return None  # the last resort stays
        plan = self._plan(trade)
        stop = stop_rate(
            plan.anchor,
            trade.open_rate,
            rate,
            plan.direction,
            plan.stop_distance,
            self.settings.stops,
            self.rules.trailing_multiplier(trade, plan.direction, now),
        )
        return stop if plan.direction * (stop - trade.stop_loss) > 0 else None

    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        stop = self.better_stop(trade, current_rate, current_time)
        if stop is None:
            return None
        return stoploss_from_absolute(stop, current_rate, trade.is_short, trade.leverage)

    def target_profit(self, trade: Trade, now: datetime) -> float:
        """The target's price as the profit ratio Freqtrade compares with; the hedge has none."""
        if self.hedging.is_hedge(trade):
            return float("inf")
        factor = self.rules.target_factor(trade, -1 if trade.is_short else 1, now)
        return self.plans.target_profit(trade, self.is_bot, factor)

    def custom_roi(
        self, pair: str, trade: Trade, current_time: datetime, trade_duration: int, **kwargs: Any
    ) -> float | None:
        target = self.target_profit(trade, current_time)
        return target if target < float("inf") else None

    def exit_reason(self, trade: Trade, rate: float, now: datetime) -> str | None:
        """Close a position that reached neither stop nor target within the horizon, or as an exit rule says."""
        if self.hedging.is_hedge(trade):
            return self.hedging.exit_reason(trade)
        plan = self._plan(trade)
        limit, text = self._time_limit(plan)
        if now - trade.open_date_utc >= limit:
            return text
        signal = self.rules.signal_exit(trade.pair, plan, now)
        if signal and self.exit_profit_only and trade.calc_profit_ratio(rate) <= self.exit_profit_offset:
            signal = None
        return signal or self.rules.exit_reason(trade, plan, rate, now)
