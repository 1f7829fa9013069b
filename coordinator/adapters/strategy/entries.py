"""Freqtrade's callbacks about entries: which are allowed and how large they are, wired to the library.

``trades.TradeStrategy`` adds what becomes of open trades. Linear inheritance: mixins break hyperopt's pickling.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from freqtrade.enums import RunMode
from freqtrade.persistence import PairLocks, Trade

from coordinator import __version__
from coordinator.adapters.errors import as_operational
from coordinator.adapters.persistence.metric_recorder import MetricRecorder
from coordinator.adapters.persistence.plan_book import PlanBook
from coordinator.adapters.persistence.trade_recorder import FORCED_TAG, TradeRecorder
from coordinator.adapters.protection.portfolio_guard import portfolio_protections
from coordinator.adapters.run_modes import MODES_WITH_TRADES
from coordinator.adapters.strategy.enterable import EnterablePairs
from coordinator.adapters.strategy.fast_callbacks import FastCallbackStrategy
from coordinator.adapters.strategy.hedging import Hedging
from coordinator.adapters.strategy.hyperopt_space import (
    hyperopt_parameters,
    move_parameters,
    spaces,
    tuned_settings,
)
from coordinator.adapters.strategy.operator import Operator
from coordinator.adapters.strategy.own_settings import check_timeframe
from coordinator.portfolio.entry_round import Slots
from coordinator.portfolio.guard import Position
from coordinator.run.decision_recorder import DecisionRecorder
from coordinator.run.entry_guard import EntryGuard
from coordinator.run.filter_trust import FilterTrust
from coordinator.run.live.candle_log import CandleLog
from coordinator.run.position_rules import PositionRules
from coordinator.run.position_sizing import Funds, PositionSizing
from coordinator.run.trading_run import TradingRun
from coordinator.settings import Settings, run_settings
from coordinator.settings.alerts import AlertKind
from coordinator.signals.candles import timeframe_seconds
from coordinator.trade.leverage import bearable_leverage
from coordinator.trade.plan import Plan

__all__ = ["EntryStrategy"]


class EntryStrategy(FastCallbackStrategy):
    """The parts of a run, and the entries of its accepted signals: limits, ranking, size.

    Settings come from the "coordinator" section of the Freqtrade config (``coordinator.settings``).
    """

    uses_ml = False
    operator: Operator | None = None  # a bot's
    position_adjustment_enable = True
    max_entry_position_adjustment = 3
    use_exit_signal = True
    use_custom_stoploss = True
    use_custom_roi = True
    minimal_roi: dict[str, float] = {}
    stoploss = -0.25  # the last resort, wider where the planned stop may be; custom_stoploss sets that one
    # The limit of a stop at the exchange lies far from its price, so that it fills like a market order; the shipped
    # config says the same where the user sees it.
    order_types = {
        "entry": "limit",
        "exit": "limit",
        "stoploss": "market",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_limit_ratio": 0.95,
    }

    def __init__(self, config: dict[str, Any]) -> None:
        with as_operational():
            check_timeframe(config, self.timeframe)
            self.settings = run_settings(config)
        if config.get("fee") is None and config.get("runmode") in (RunMode.BACKTEST, RunMode.HYPEROPT):
            config["fee"] = self.settings.costs.fee  # else Freqtrade takes the exchange's maker fee
        config["coordinator_version"] = __version__  # so that --cache shows no result of an older one
        self._spaces = config.get("spaces") or () if config.get("runmode") == RunMode.HYPEROPT else ()
        parameters = hyperopt_parameters(self.settings, uses_ml=self.uses_ml, asked=self._spaces)
        for name, parameter in parameters.items():
            setattr(self, name, parameter)
        sizing = self.settings.sizing
        self.can_short = config.get("trading_mode", "spot") == "futures"
        clocks = [self.settings.on_clock(name) for name in self.settings.clock_names]
        widest = max(own.stops.hard_limit for own in clocks) * (sizing.leverage if self.can_short else 1.0)
        self.stoploss = -max(0.25, 1.25 * widest)
        self.is_bot = config.get("runmode") in MODES_WITH_TRADES
        super().__init__(config)
        self.run = TradingRun(self.can_short)
        self.enterable = EnterablePairs(config, is_bot=self.is_bot)
        self._candle_seconds = timeframe_seconds(self.timeframe)
        self._time_limits: dict[str, tuple[timedelta, str]] = {
            own.baseline.clock: (
                timedelta(seconds=own.time_limit),
                f"time limit of {own.targets.horizon} candles",
            )
            for own in clocks
        }
        self.plans = PlanBook(self.settings, self._candle_seconds, self.plan_by_hand)
        is_backtest = config.get("runmode") == RunMode.BACKTEST
        self.recorder = DecisionRecorder(config, type(self).__name__, self.run, is_backtest=is_backtest)
        self.candle_log = CandleLog(self.run)
        self.trade_recorder = TradeRecorder(self._describe_signal)
        self.metric_recorder = MetricRecorder()
        self.guard = EntryGuard(self.run, FilterTrust(self.run.market, self.settings))
        self.sizing = PositionSizing(
            self.run.market, self.recorder.record_improvement, config["stake_currency"]
        )
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

    def load_params_from_file(self) -> dict[str, Any]:
        """Freqtrade's parameter file of the strategy, with our parameters where this run looks for them."""
        loaded: dict[str, Any] = super().load_params_from_file()
        params = loaded.get("params")
        return {**loaded, "params": move_parameters(params, spaces(self._spaces))} if params else loaded

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

    def tell(self, kind: AlertKind, cause: str, message: str) -> None:
        """Tell the user through Freqtrade's channels, as the operator's settings have it."""
        if self.operator is not None:
            self.operator.tell(kind, cause, message)
        else:
            self.dp.send_msg(message, always_send=True)

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
            self.tell("improvement", f"{time} {alert}", alert)
        if not check.allowed and check.log_lines:
            self.recorder.refusals[pair] = time, check.log_lines[-1].partition(" refused by ")[2]
        if check.allowed:
            plan = self.plans.at_signal(pair, current_time, direction)
            self.trade_recorder.entry_ordered(pair, plan, direction, current_time, time)
        return check.allowed

    @abstractmethod
    def plan_by_hand(self, pair: str, time: int, direction: int) -> Plan | None:
        """The plan of an entry that no signal asked for, at a candle; None where the pair was not analysed."""

    def is_hedge(self, trade: Trade) -> bool:
        return self.hedging.is_hedge(trade)

    @staticmethod
    def _held() -> list[Position]:
        """Open positions; in a backtest Freqtrade hands out its own list, which must not be changed."""
        return [Position(trade.pair, -1 if trade.is_short else 1) for trade in Trade.get_open_trades()]

    def _is_full(self, settings: Settings) -> bool:
        """Whether ``portfolio.max_positions`` are open, the hedge aside."""
        limit = settings.portfolio.max_positions
        is_hedge = self.hedging.is_hedge
        return limit is not None and sum(not is_hedge(one) for one in Trade.get_open_trades()) >= limit

    def _locked(self, now: datetime, pair: str, direction: int) -> bool:
        """Whether a pair cannot be entered: a lock, it is the hedge's, or Freqtrade has no candle to enter it on."""
        side = "short" if direction < 0 else "long"
        return (
            pair == self.hedging.monitor.pair
            or not self.enterable.has(pair, self.plans.last_closed(now), self.dp)
            or PairLocks.is_pair_locked(pair, now, side)
        )

    def leverage(
        self, pair: str, current_time: datetime, max_leverage: float, side: str, **kwargs: Any
    ) -> float:
        """The settings', or what the exchange allows, or what the planned stop bears."""
        wanted: float = min(self.settings.sizing.leverage, max_leverage)
        if pair == self.hedging.monitor.pair:
            return wanted
        direction = -1 if side == "short" else 1
        plan = self.plans.at_signal(pair, current_time, direction)
        plan = plan or self.plans.without_signal(pair, current_time, direction)
        return bearable_leverage(wanted, plan.stop_distance)

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
        if entry_tag == FORCED_TAG and proposed_stake != self._freqtrades_stake(pair):
            self.plans.enter_at_once(pair, current_time, plan)
            return proposed_stake  # a person named it, on a signal's candle
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
        sized = self.sizing.stake(pair, plan, closed, funds, sizing)
        if sized.refusal:
            self.recorder.record_refusal(pair, sized.refusal)
        if sized.entries is not plan.entries:
            self.plans.enter_at_once(pair, current_time, plan)
        return sized.stake

    def _freqtrades_stake(self, pair: str) -> float:
        """What Freqtrade proposes where nobody names a stake."""
        proposed: float = self.wallets.get_trade_stake_amount(pair, self.config["max_open_trades"])
        return proposed

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
        limits = []
        if settings.portfolio.max_positions is not None:
            # The open hedge is among the held, and counts in Freqtrade's slots only.
            hedges = sum(self.hedging.is_hedge(trade) for trade in Trade.get_open_trades())
            limits.append(settings.portfolio.max_positions + hedges)
        if 0 <= self.max_open_trades < math.inf:
            limits.append(int(self.max_open_trades) - self.hedging.reserved_slots())
        limit, locked = min(limits, default=None), partial(self._locked, now)
        return Slots(self._held, limit, locked, self._opened)

    def _opened(self) -> list[int]:
        return [self.plans.last_closed(trade.open_date_utc) for trade in Trade.get_open_trades()]

    def _open_risk(self) -> float:
        """What the open plans lose together if all are stopped out in full, stake currency; the hedge has none."""
        trades = (trade for trade in Trade.get_open_trades() if not self.hedging.is_hedge(trade))
        return self.plans.open_risk(trades, stored=self.is_bot)


# What `freqtrade list-strategies` shows of the class; a strategy has its own, with its settings' values.
for _name, _parameter in hyperopt_parameters(Settings(), uses_ml=False).items():
    setattr(EntryStrategy, _name, _parameter)
