"""The strategy base: Freqtrade's callbacks wired to the library, the same in backtest, hyperopt, dry-run and live.

``strategies/`` holds the classes users name; they inherit linearly (mixins break hyperopt's pickling).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from freqtrade.enums import RunMode
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import DecimalParameter, stoploss_from_absolute
from pandas import DataFrame

from coordinator.adapters.analysis import PairAnalysis, analyse
from coordinator.adapters.board import SignalBoard
from coordinator.adapters.columns import PLOT_CONFIG, entry_columns, plot_columns
from coordinator.adapters.entry_guard import EntryGuard
from coordinator.adapters.errors import as_operational
from coordinator.adapters.fast_callbacks import FastCallbackStrategy
from coordinator.adapters.live_run import LiveRun
from coordinator.adapters.positions import Plan, PlanBook
from coordinator.adapters.recorder import Recorder
from coordinator.candles.check import check_candles
from coordinator.portfolio.guard import Position
from coordinator.settings import Settings, load_settings
from coordinator.signals.candles import Candles, timeframe_seconds
from coordinator.signals.series import changed
from coordinator.trade.sizing import plan_stake, tranche_stake
from coordinator.trade.stops import stop_rate

__all__ = ["CoordinatorStrategy"]

logger = logging.getLogger(__name__)

HIGHER_TIMEFRAMES = ("4h", "1d")
MODES_WITH_TRADES = (RunMode.DRY_RUN, RunMode.LIVE)


class CoordinatorStrategy(FastCallbackStrategy):
    """Technical signals, DCA entries, ATR and trailing stops, targets by reward:risk.

    Settings come from the "coordinator" section of the Freqtrade config (``coordinator.settings``). Timeframe 1h
    with 4h and 1d beside it; spot and futures (shorts in futures only).
    """

    INTERFACE_VERSION = 3
    timeframe = "1h"
    startup_candle_count = 240
    process_only_new_candles = True
    position_adjustment_enable = True
    max_entry_position_adjustment = 3
    use_exit_signal = True
    use_custom_stoploss = True
    use_custom_roi = True
    minimal_roi: dict[str, float] = {}
    stoploss = -0.25  # the last resort; custom_stoploss sets the planned stop, at most 3 % away
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "market", "stoploss_on_exchange": False}
    plot_config = PLOT_CONFIG

    uses_ml = False

    def __init__(self, config: dict[str, Any]) -> None:
        with as_operational():
            self.settings = load_settings(config.get("coordinator"))
        # Hyperopt's space "coordinator"; the ranges are the documented ones, the defaults the config's.
        space = {"space": "coordinator", "optimize": True, "load": True}
        decision, sizing = self.settings.decision, self.settings.sizing
        self.threshold = DecimalParameter(0.60, 0.85, default=decision.threshold, decimals=2, **space)
        self.risk_per_trade = DecimalParameter(
            0.005, 0.015, default=sizing.risk_per_trade, decimals=4, **space
        )
        self.can_short = config.get("trading_mode", "spot") == "futures"
        super().__init__(config)
        self.board = SignalBoard(self.can_short)
        self._candle_seconds = timeframe_seconds(self.timeframe)
        self.plans = PlanBook(self.settings, self._candle_seconds)
        self.recorder = Recorder(config, type(self).__name__, self.board)
        self.guard = EntryGuard(self.board)

    def bot_start(self, **kwargs: Any) -> None:
        """A bot takes up its memory; backtests and hyperopt fold all signals at once."""
        if self.dp.runmode in MODES_WITH_TRADES:
            with as_operational():
                run = LiveRun(self.config, type(self).__name__, self._tuned(), can_short=self.can_short)
            self.board.go_live(run)
            self.recorder.go_live(run)

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Trades of the ledger follow Freqtrade's (a bot's only); a backtest's is completed at its end."""
        self.recorder.reconcile(current_time, self._plan, self.plans.last_closed)
        self.recorder.end_of_backtest(current_time, self.guard)

    # --- indicators and signals -------------------------------------------------------------------------------

    def informative_pairs(self) -> list[tuple[str, str]]:
        return [(pair, timeframe) for pair in self.dp.current_whitelist() for timeframe in HIGHER_TIMEFRAMES]

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        pair = metadata["pair"]
        with as_operational():
            check_candles(dataframe, f"{pair} {self.timeframe}")
            higher = {name: self._higher(pair, name) for name in HIGHER_TIMEFRAMES}
            candles = Candles.from_frame(dataframe, self.timeframe)
            analysis = analyse(pair, candles, higher, self.settings, ml=self.uses_ml)
        dataframe, analysis = self.add_predictions(dataframe, metadata, analysis)
        self.board.put(analysis)
        technical = analysis.technical
        return dataframe.assign(
            technical_score=technical.score,
            technical_direction=technical.direction,
            technical_signal=technical.signal,
            fusion_score=analysis.fusion.score,
            trend_ma=technical.indicators.trend_ma,
            exit_ma=technical.indicators.exit_ma,
        )

    def _higher(self, pair: str, timeframe: str) -> Candles:
        frame = self.dp.get_pair_dataframe(pair, timeframe)
        if frame.empty:
            logger.warning("%s has no %s candles: fusion is absent for it", pair, timeframe)
            frame = DataFrame(
                {name: np.zeros(0) for name in ("open", "high", "low", "close", "volume")}
            ).assign(date=np.zeros(0, dtype="datetime64[s]"))
        else:
            check_candles(frame, f"{pair} {timeframe}")
        return Candles.from_frame(frame, timeframe)

    def add_predictions(
        self, dataframe: DataFrame, metadata: dict[str, Any], analysis: PairAnalysis
    ) -> tuple[DataFrame, PairAnalysis]:
        """Hook for strategies with ML: add the models' columns and votes."""
        return dataframe, analysis

    def _tuned(self) -> Settings:
        """The settings with hyperopt's parameters in their places."""
        threshold, risk = float(self.threshold.value), float(self.risk_per_trade.value)
        decision = self.settings.decision.model_copy(update={"threshold": threshold})
        sizing = self.settings.sizing.model_copy(update={"risk_per_trade": risk})
        selector, thresholds = self.settings.selector, self.settings.thresholds
        if not self.uses_ml:
            selector = selector.model_copy(update={"enabled": False})
        mode = self.settings.improvements.effective(thresholds.mode)
        sections = {
            "decision": decision,
            "sizing": sizing,
            "selector": selector,
            "thresholds": thresholds.model_copy(update={"mode": mode}),
        }
        return self.settings.model_copy(update=sections)

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        pair = metadata["pair"]
        analysis, settings = self.board.analysis(pair), self._tuned()
        decided = self.board.decisions(settings).rows(self.board.rows_of(pair, settings))
        self.recorder.decided(pair, settings, self._send)
        self.plans.file_accepted(analysis, decided)
        columns = entry_columns(analysis, decided, settings, can_short=self.can_short)
        if self.dp.runmode != RunMode.HYPEROPT:  # an epoch plots nothing
            columns |= plot_columns(analysis, decided)
        return dataframe.assign(**columns)

    def _send(self, message: str) -> None:
        self.dp.send_msg(message, always_send=True)

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Leave when the baseline turns against the position and the price stands beyond the exit MA."""
        analysis = self.board.analysis(metadata["pair"])
        technical, close = analysis.technical, analysis.candles.close
        turned = changed(technical.direction)
        down = turned & (technical.direction < 0) & (close < technical.indicators.exit_ma)
        up = turned & (technical.direction > 0) & (close > technical.indicators.exit_ma)
        tags = np.full(len(dataframe), None, dtype=object)
        tags[down], tags[up] = "baseline turned short", "baseline turned long"
        columns: dict[str, Any] = {"exit_long": down.astype(int)}
        if self.can_short:
            columns["exit_short"] = up.astype(int)
        return dataframe.assign(**columns, exit_tag=tags)

    # --- trades -----------------------------------------------------------------------------------------------

    def _plan(self, trade: Trade) -> Plan:
        return self.plans.of_trade(trade, stored=self.dp.runmode in MODES_WITH_TRADES)

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
        verdict = self.guard.ask(pair, direction, time, self._held, self.settings)
        self.recorder.asked(time, verdict)
        if verdict.allowed:
            plan = self.plans.at_signal(pair, current_time, direction)
            self.recorder.intended(pair, plan, direction, current_time, time)
        return verdict.allowed

    @staticmethod
    def _held() -> list[Position]:
        """Open positions; in a backtest Freqtrade hands out its own list, which must not be changed."""
        return [Position(trade.pair, -1 if trade.is_short else 1) for trade in Trade.get_open_trades()]

    def order_filled(
        self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """A bot keeps its fills beside the virtual trades, and on the trade what it was entered on."""
        if self.dp.runmode in MODES_WITH_TRADES:
            signal_time = self.plans.last_closed(trade.open_date_utc)
            self.recorder.filled(trade, self._plan(trade), self._tuned(), signal_time)

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
        plan = self.plans.at_signal(pair, current_time, -1 if side == "short" else 1)
        if plan is None or self.wallets is None:
            return proposed_stake
        limit, minimum = min(proposed_stake, max_stake), min_stake or 0.0
        equity = self.wallets.get_total_stake_amount()
        sizing = self._tuned().sizing
        total = plan_stake(equity, plan.entries, plan.stop_distance, leverage, limit, sizing, plan.size)
        stake = tranche_stake(total, plan.entries, 0, minimum)
        if stake == total:
            self.plans.enter_at_once(pair, current_time, plan)
        return stake

    def adjustment_due(self, trade: Trade, rate: float) -> bool:
        plan = self._plan(trade)
        return plan.entries.due(trade.nr_of_successful_entries, plan.anchor, rate, plan.direction)

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
        """The next tranche, when the price has gone far enough against the position."""
        if trade.has_open_orders or not self.adjustment_due(trade, current_rate):
            return None
        entries, filled = self._plan(trade).entries, trade.nr_of_successful_entries
        first = trade.select_filled_orders(trade.entry_side)[0].stake_amount_filled / trade.leverage
        stake = tranche_stake(first / entries.shares[0], entries, filled, min_stake or 0.0)
        return (min(stake, max_stake), f"tranche {filled + 1} of {len(entries.shares)}") if stake else None

    def better_stop(self, trade: Trade, rate: float) -> float | None:
        """Planned stop, then trailing by profit tier; only ever in the trade's favour, whatever fills."""
        plan = self._plan(trade)
        stop = stop_rate(
            plan.anchor, trade.open_rate, rate, plan.direction, plan.stop_distance, self.settings.stops
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
        stop = self.better_stop(trade, current_rate)
        if stop is None:
            return None
        return stoploss_from_absolute(stop, current_rate, trade.is_short, trade.leverage)

    def target_profit(self, trade: Trade) -> float:
        """The target's price as the profit ratio Freqtrade compares with."""
        return self.plans.target_profit(trade, stored=self.dp.runmode in MODES_WITH_TRADES)

    def custom_roi(
        self, pair: str, trade: Trade, current_time: datetime, trade_duration: int, **kwargs: Any
    ) -> float | None:
        return self.target_profit(trade)

    def exit_reason(self, trade: Trade, now: datetime) -> str | None:
        """Close a position that reached neither stop nor target within the horizon."""
        horizon = self.settings.targets.horizon
        limit = timedelta(seconds=horizon * self._candle_seconds)
        return f"time limit of {horizon} candles" if now - trade.open_date_utc >= limit else None
