"""Freqtrade's callbacks about trades: entries, tranches, stops, targets and exits, wired to the library.

``signals.CoordinatorStrategy`` adds the signals. Linear inheritance: mixins break hyperopt's pickling.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.persistence import Order, PairLocks, Trade
from freqtrade.strategy import stoploss_from_absolute

from coordinator.adapters.errors import as_operational
from coordinator.adapters.persistence.plan_book import PlanBook, planned_stake
from coordinator.adapters.persistence.trade_recorder import TradeRecorder
from coordinator.adapters.protection.portfolio_guard import portfolio_protections
from coordinator.adapters.run_modes import MODES_WITH_TRADES
from coordinator.adapters.strategy.fast_callbacks import FastCallbackStrategy
from coordinator.adapters.strategy.hedging import Hedging
from coordinator.adapters.strategy.hyperopt_space import hyperopt_parameters, tuned_settings
from coordinator.portfolio.entry_round import Slots
from coordinator.portfolio.guard import Position
from coordinator.run.decision_recorder import DecisionRecorder
from coordinator.run.entry_guard import EntryGuard
from coordinator.run.filter_trust import FilterTrust
from coordinator.run.position_rules import SCALE_OUT, PositionRules
from coordinator.run.position_sizing import Funds, PositionSizing
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings, run_settings
from coordinator.signals.candles import timeframe_seconds
from coordinator.trade.exits import scale_out_stake
from coordinator.trade.plan import Plan
from coordinator.trade.sizing import tranche_stake
from coordinator.trade.stops import stop_rate

__all__ = ["TradeStrategy"]


class TradeStrategy(FastCallbackStrategy):
    """What becomes of accepted signals: DCA entries, ATR and trailing stops, targets by reward:risk, exits.

    Settings come from the "coordinator" section of the Freqtrade config (``coordinator.settings``).
    """

    uses_ml = False
    position_adjustment_enable = True
    max_entry_position_adjustment = 3
    use_exit_signal = True
    use_custom_stoploss = True
    use_custom_roi = True
    minimal_roi: dict[str, float] = {}
    stoploss = -0.25  # the last resort, wider where the planned stop may be; custom_stoploss sets that one
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}

    def __init__(self, config: dict[str, Any]) -> None:
        with as_operational():
            self.settings = run_settings(config)
        if config.get("fee") is None and config.get("runmode") in (RunMode.BACKTEST, RunMode.HYPEROPT):
            config["fee"] = self.settings.costs.fee  # else Freqtrade takes the exchange's maker fee
        for name, parameter in hyperopt_parameters(self.settings, uses_ml=self.uses_ml).items():
            setattr(self, name, parameter)
        sizing = self.settings.sizing
        self.can_short = config.get("trading_mode", "spot") == "futures"
        widest = self.settings.stops.hard_limit * (sizing.leverage if self.can_short else 1.0)
        self.stoploss = -min(0.99, max(0.25, 1.25 * widest))
        super().__init__(config)
        self.run = TradingRun(self.can_short)
        self._candle_seconds = timeframe_seconds(self.timeframe)
        self._horizon = timedelta(seconds=self.settings.time_limit)
        self.plans = PlanBook(self.settings, self._candle_seconds)
        self.is_bot = config.get("runmode") in MODES_WITH_TRADES
        is_backtest = config.get("runmode") == RunMode.BACKTEST
        self.recorder = DecisionRecorder(config, type(self).__name__, self.run, is_backtest=is_backtest)
        self.trade_recorder = TradeRecorder(self._describe_signal)
        self.guard = EntryGuard(self.run, FilterTrust(self.run.market, self.settings))
        self.sizing = PositionSizing(self.run.market, self.recorder.record_improvement)
        self.rules = PositionRules(
            self.settings, self._candle_seconds, self.plans.last_closed, self.recorder.record_improvement
        )
        with as_operational():
            self.hedging = Hedging(
                config,
                self.settings,
                self.run.market,
                self.guard.correlations,
                self._candle_seconds,
                self.plans.last_closed,
            )
        if self.hedging.monitor.pair is not None:
            # The hedge is rebalanced as often as it must be; plans end by themselves.
            self.max_entry_position_adjustment = -1

    def _tuned(self) -> Settings:
        """The settings that hold: hyperopt's parameters and the global switches in their places."""
        return tuned_settings(self.settings, vars(self), uses_ml=self.uses_ml)

    @property
    def protections(self) -> list[dict[str, Any]]:
        """PortfolioGuard where it is switched on; add your own to it."""
        return portfolio_protections(self.config, self.hedging.monitor)

    def update_portfolio(self, now: datetime) -> None:
        """Update the portfolio monitor with the last closed candle; called before each use of it."""
        change = self.hedging.update(now, self.wallets)
        if change is not None:
            self.recorder.record_check(*change)

    def _describe_signal(self, pair: str, time: int) -> Mapping[str, Any] | None:
        return self.recorder.describe_signal(pair, self._tuned(), time)

    def _plan(self, trade: Trade) -> Plan:
        return self.plans.of_trade(trade, stored=self.is_bot)

    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        direction = -1 if side == "short" else 1
        time = self.plans.last_closed(current_time)
        self.update_portfolio(current_time)
        refusal = self.hedging.refusal(pair, side, self.max_open_trades)
        if refusal is not None:
            self.recorder.record_refusal(pair, refusal)
            return False
        if pair == self.hedging.monitor.pair:
            return True
        settings = self._tuned()
        if self._is_full(settings):
            self.recorder.record_refusal(pair, f"{settings.portfolio.max_positions} positions are open")
            return False
        slots = self._slots(current_time, settings)
        check = self.guard.check(pair, direction, time, slots, settings)
        self.recorder.record_check(time, check)
        for alert in check.alerts if self.is_bot else ():
            self.dp.send_msg(alert, always_send=True)
        if check.allowed:
            plan = self.plans.at_signal(pair, current_time, direction)
            self.trade_recorder.entry_ordered(pair, plan, direction, current_time, time)
        return check.allowed

    @staticmethod
    def _held() -> list[Position]:
        """Open positions; in a backtest Freqtrade hands out its own list, which must not be changed."""
        return [Position(trade.pair, -1 if trade.is_short else 1) for trade in Trade.get_open_trades()]

    def _is_full(self, settings: Settings) -> bool:
        """Whether ``portfolio.max_positions`` are open, the hedge aside."""
        limit = settings.portfolio.max_positions
        if limit is None:
            return False
        return sum(not self.hedging.is_hedge(trade) for trade in Trade.get_open_trades()) >= limit

    def _locked(self, now: datetime, pair: str, direction: int) -> bool:
        """Whether a pair cannot be entered: a lock, or it is the hedge's."""
        side = "short" if direction < 0 else "long"
        return pair == self.hedging.monitor.pair or PairLocks.is_pair_locked(pair, now, side)

    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """A bot keeps its fills beside the virtual trades, and on the trade what it was entered on."""
        if self.is_bot and not self.hedging.is_hedge(trade):
            signal_time = self.plans.last_closed(trade.open_date_utc)
            self.trade_recorder.order_filled(trade, self._plan(trade), signal_time)

    def leverage(self, pair: str, current_time: datetime, max_leverage: float, **kwargs: Any) -> float:
        return min(self.settings.sizing.leverage, max_leverage)

    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """The first tranche of a plan that risks a fixed share of the equity at its stop."""
        self.update_portfolio(current_time)
        hedge = self.hedging.stake(pair, side, leverage, min_stake, max_stake)
        if hedge is not None:
            return hedge
        plan = self.plans.at_signal(pair, current_time, -1 if side == "short" else 1)
        if plan is None or self.wallets is None:
            return proposed_stake
        equity = self.wallets.get_total_stake_amount()
        funds = Funds(
            equity=equity,
            limit=min(proposed_stake, max_stake),
            minimum=min_stake or 0.0,
            leverage=leverage,
            open_risk=self._open_risk() / equity,
            held=partial(self._notionals, current_time),
        )
        closed, sizing = self.plans.last_closed(current_time), self._tuned().sizing
        stake, entries = self.sizing.stake(pair, plan, closed, funds, sizing)
        if entries is not plan.entries:
            self.plans.enter_at_once(pair, current_time, plan)
        return stake

    def _notionals(self, now: datetime) -> dict[str, float]:
        """Value of the open positions by pair at the last close, shorts negative, stake currency."""
        closed = self.plans.last_closed(now)
        return {
            trade.pair: (-1 if trade.is_short else 1)
            * trade.amount
            * (self.run.market.close_at(trade.pair, closed) or trade.open_rate)
            for trade in Trade.get_open_trades()
        }

    def _slots(self, now: datetime, settings: Settings) -> Slots:
        limits = [settings.portfolio.max_positions]
        if 0 <= self.max_open_trades < math.inf:
            limits.append(int(self.max_open_trades) - self.hedging.reserved_slots())
        return Slots(
            self._held, min((n for n in limits if n is not None), default=None), partial(self._locked, now)
        )

    def _open_risk(self) -> float:
        """What the open plans lose together if all are stopped out in full, stake currency; the hedge has none."""
        trades = (trade for trade in Trade.get_open_trades() if not self.hedging.is_hedge(trade))
        return self.plans.open_risk(trades, stored=self.is_bot)

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
            self.rules.trailing_multiplier(trade, now),
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
        if now - trade.open_date_utc >= self._horizon:
            return f"time limit of {self.settings.targets.horizon} candles"
        return self.rules.exit_reason(trade, self._plan(trade), rate, now)
