"""The strategy base: Freqtrade's callbacks wired to the library, the same in backtest, hyperopt, dry-run and live.

``strategies/`` holds the classes users name; they inherit linearly (mixins break hyperopt's pickling).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import numpy as np
from freqtrade.enums import RunMode
from freqtrade.exchange import timeframe_to_prev_date
from freqtrade.ft_types import AnnotationType
from pandas import DataFrame

from coordinator.adapters.errors import as_operational
from coordinator.adapters.freqai.downloads import download_timeframes
from coordinator.adapters.pairs import traded_pairs
from coordinator.adapters.persistence.bot_identity import bot_identity
from coordinator.adapters.persistence.candle_locks import restore_candle_locks
from coordinator.adapters.persistence.mixed_trades import refuse_mixed_trades
from coordinator.adapters.strategy.annotations import chart_annotations, pair_locks, trades_of
from coordinator.adapters.strategy.fast_start import learn_from_history
from coordinator.adapters.strategy.frames import FrameStrategy
from coordinator.adapters.strategy.historic_chart import HistoricChart
from coordinator.adapters.strategy.operator import attach_operator, attach_webserver
from coordinator.adapters.strategy.order_recovery import cancel_lost_entries, recover_orders
from coordinator.adapters.strategy.own_settings import check_own_settings
from coordinator.candles.check import check_candles
from coordinator.candles.known import known_candles
from coordinator.errors import CoordinatorError
from coordinator.run.break_log import BreakLog
from coordinator.run.chart.columns import decision_columns, held, indicator_columns
from coordinator.run.chart.plot_config import plot_config
from coordinator.run.collection.collector import SampleCollector
from coordinator.run.entry_plans import entry_plans, plan_by_hand
from coordinator.run.frame_columns import entry_columns, merge_columns, with_columns
from coordinator.run.live.candle_log import Account
from coordinator.run.live.decisions import LiveDecisions
from coordinator.run.live.ledger import LiveLedger
from coordinator.run.pair_analysis import PairAnalysis, analyse_clocks
from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.clock import clock_candles
from coordinator.signals.higher_candles import complete_higher
from coordinator.signals.regime_gate import bitcoin_pair
from coordinator.trade.plan import Plan
from coordinator.trade.signal_exits import signal_exits

__all__ = ["CoordinatorStrategy"]

logger = logging.getLogger(__name__)

HIGHER_TIMEFRAMES = ("4h", "1d")


class CoordinatorStrategy(FrameStrategy):
    """Technical signals, DCA entries, ATR and trailing stops, targets by reward:risk.

    Settings come from the "coordinator" section of the Freqtrade config (``coordinator.settings``). Timeframe 1h
    with 4h and 1d beside it; spot and futures (shorts in futures only).
    """

    INTERFACE_VERSION = 3
    timeframe = "1h"
    # A trade of 20 days, and the trend before it (``signals.trend``); a bot's frame must hold them, too.
    startup_candle_count = 960
    process_only_new_candles = True

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._inputs: dict[str, tuple[Candles, dict[str, Candles], dict[str, Candles]]] = {}
        self._analysed_with: tuple[Any, ...] = ()
        self._chart, self._break_log = HistoricChart(config), BreakLog()
        components = self.settings.learning.components if self.uses_ml else ()
        self.plot_config = plot_config(components, self.settings.exits, can_short=self.can_short)
        if config.get("runmode") != RunMode.HYPEROPT:
            self.recorder.collector = SampleCollector(
                self._candles_by_timeframe, pooled=self.settings.learning.pooled
            )

    def bot_start(self, **kwargs: Any) -> None:
        """A bot continues from its ledger; backtests and hyperopt decide on all signals at once."""
        self._check_own_settings()
        if self.is_bot:
            now = datetime.now(UTC)
            restore_candle_locks(now, timeframe_to_prev_date(self.timeframe, now))
            with as_operational():
                refuse_mixed_trades(self.config)
                ledger = LiveLedger(
                    self.config, type(self).__name__, self._tuned(), bot_identity(self.config)
                )
                live = LiveDecisions(self._tuned(), ledger, can_short=self.can_short)
            self.run.start_live(live)
            self.recorder.start_live(live)
            self.trade_recorder.start_live(ledger)
            self.metric_recorder.start_live(ledger)
            self.hedging.use_store(ledger)
            if self.guard.trust is not None:
                self.guard.trust.use_store(ledger)
            self.operator = attach_operator(self, live)
            if not self.config["dry_run"]:
                recover_orders(self.dp._exchange)
                cancel_lost_entries(self.dp._exchange, ledger.open_trades())
        elif self.config.get("runmode") == RunMode.WEBSERVER:
            attach_webserver(self)
        if self.hedging.monitor.pair is not None:
            self.hedging.check_pair(traded_pairs(self.config, self.dp))
        if self.uses_ml and self.config.get("freqai", {}).get("enabled", False):
            reference = self._reference if self._gated else None
            if self.is_bot:
                download_timeframes(
                    self.dp, self.config, self.settings, traded_pairs(self.config, self.dp), reference
                )
            with as_operational():
                learn_from_history(self.run, self.config, self.freqai, self.dp, self._tuned(), reference)

    def _check_own_settings(self) -> None:
        """Before anything else: what the user's own Freqtrade settings do to the plans."""
        leverage = self.settings.sizing.leverage if self.can_short else 1.0
        with as_operational():
            told = check_own_settings(self, self.settings, leverage=leverage, hedged=self.hedging.on)
        if told and self.config.get("runmode") != RunMode.HYPEROPT:
            text = "; ".join(told)
            logger.warning(
                "Your own settings act beside the plans, ML learns from the plans' exits: %s", text
            )

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Trades of the ledger follow Freqtrade's (a bot's only); a backtest's is completed at its end."""
        if self.plans.analysed:
            self.trade_recorder.reconcile(
                current_time, self.record_fills, self.plans.last_closed, self.hedging.is_hedge
            )
        self.metric_recorder.record(current_time)
        self.update_portfolio(current_time)
        self.recorder.complete_backtest(current_time, self.guard.checked, self.guard.refused)
        if self.is_bot and self.wallets is not None:
            self.candle_log.log(self._tuned(), self._account)
        if self.operator is not None:
            self.operator.update(current_time)

    def _account(self) -> Account:
        """How the account stands, for the log."""
        equity, currency = self.hedging.equity(self.wallets), self.config["stake_currency"]
        return Account(len(self._held()), self.max_open_trades, equity, currency)

    # --- indicators and signals -------------------------------------------------------------------------------

    def informative_pairs(self) -> list[tuple[str, str]]:
        pairs = traded_pairs(self.config, self.dp)
        wanted = [(pair, timeframe) for pair in pairs for timeframe in HIGHER_TIMEFRAMES]
        if self._gated and self._reference not in pairs:
            wanted += [(self._reference, name) for name in (self.timeframe, *HIGHER_TIMEFRAMES)]
        return wanted

    @property
    def _gated(self) -> bool:
        """Whether any clock has a regime gate."""
        return any(self.settings.on_clock(name).regime.gate != "off" for name in self.settings.clock_names)

    @property
    def _reference(self) -> str:
        """The pair that stands for the market."""
        return self.settings.regime.reference or bitcoin_pair(
            self.config["stake_currency"], futures=self.can_short
        )

    def _market(self) -> dict[str, Candles]:
        """Candles of the regime gate's reference pair by timeframe; empty where the gate is off."""
        if not self._gated:
            return {}
        base = self._candles(self._reference, self.timeframe)
        others = [name for name in self.settings.clock_names if name != self.timeframe]
        market = {self.timeframe: base} | {
            name: self._candles(self._reference, name, base) for name in others
        }
        missing = [name for name, candles in market.items() if not len(candles)]
        if missing and not self.is_bot:
            rule = (
                f"have {' and '.join(missing)} candles: download them, or set regime.reference to a pair that has "
                'some in the data directory, or regime.gate to "off"'
            )
            raise CoordinatorError("regime.gate's reference pair", "the regime gate", rule, self._reference)
        return market

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        pair = metadata["pair"]
        dataframe = self._chart.candles(dataframe, pair, self.dp)
        with as_operational():
            check_candles(dataframe, f"{pair} {self.timeframe}")
            candles = Candles.from_frame(dataframe, self.timeframe)
            higher = {name: self._higher(pair, name, candles) for name in HIGHER_TIMEFRAMES}
            self._break_log.tell(pair, candles)
            self._inputs[pair] = candles, higher, self._market()
            analyses = self._analyse(pair, self._tuned())
        dataframe, analyses = self.add_predictions(dataframe, metadata, analyses)
        self._put(analyses)
        self._chart.analyse_others(pair, self.dp, self.populate_indicators)
        own = self.settings.on_clock(analyses[0].clock).baseline
        return with_columns(dataframe, indicator_columns(analyses[0], own))

    def plan_by_hand(self, pair: str, time: int, direction: int) -> Plan | None:
        if pair not in self._inputs:
            return None
        candles, higher, _ = self._inputs[pair]
        own = self._tuned().on_clock(self.settings.clock_names[0])
        return plan_by_hand(candles, clock_candles(own.baseline.clock, candles, higher), direction, time, own)

    def _candles_by_timeframe(self) -> dict[str, dict[str, Candles]]:
        """All analysed pairs' candles."""
        return {
            pair: {self.timeframe: candles, **higher} for pair, (candles, higher, _) in self._inputs.items()
        }

    def _analyse(self, pair: str, settings: Settings) -> list[PairAnalysis]:
        """A pair on each clock, the slowest first."""
        candles, higher, market = self._inputs[pair]
        self._analysed_with = settings.baseline, settings.stops
        return analyse_clocks(pair, candles, higher, settings, self.uses_ml, market)

    def _put(self, analyses: list[PairAnalysis]) -> None:
        settings = self._tuned()
        for analysis in analyses:
            self.run.put(analysis)
            exits = None
            if len(analyses) > 1:
                own = settings.on_clock(analysis.clock)
                exits = signal_exits(analysis.candles, analysis.technical, own)
            self.rules.put(analysis, exits)

    def _follow_hyperopt(self, settings: Settings) -> None:
        """Analyse all pairs anew where an epoch's parameters change the signals (never with ML, which was trained)."""
        if not self.uses_ml and self._analysed_with != (settings.baseline, settings.stops):
            for pair in self._inputs:
                self._put(self._analyse(pair, settings))

    def _higher(self, pair: str, timeframe: str, base: Candles) -> Candles:
        candles = self._candles(pair, timeframe, base)
        if not len(candles):
            what = "there is no signal" if timeframe in self.settings.clock_names else "fusion is absent"
            logger.warning("%s has no %s candles: %s for it", pair, timeframe, what)
        return candles

    def _candles(self, pair: str, timeframe: str, base: Candles | None = None) -> Candles:
        """A pair's candles; a bot's of a higher timeframe up to the last close of its base candles."""
        frame = known_candles(self.dp.get_pair_dataframe(pair, timeframe))
        if frame.empty:
            frame = DataFrame(
                {name: np.zeros(0) for name in ("open", "high", "low", "close", "volume")}
            ).assign(date=np.zeros(0, dtype="datetime64[s]"))
        else:
            check_candles(frame, f"{pair} {timeframe}")
        candles = Candles.from_frame(frame, timeframe)
        return complete_higher(candles, base) if self.is_bot and base is not None else candles

    def add_predictions(
        self, dataframe: DataFrame, metadata: dict[str, Any], analyses: list[PairAnalysis]
    ) -> tuple[DataFrame, list[PairAnalysis]]:
        """Hook for strategies with ML: add the models' columns and votes to a pair's analyses, one for each clock."""
        return dataframe, analyses

    def request_retraining(self) -> None:
        """Hook for strategies with ML: a bot's ML has fallen back to shadow, its models are to be trained anew."""

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        pair = metadata["pair"]
        settings = self._tuned()
        self._follow_hyperopt(settings)
        self.run.decisions(settings)
        self.recorder.record_decisions(pair, settings, self.tell, self.request_retraining)
        plans: dict[int, Plan] = {}
        columns: list[dict[str, Any]] = []
        for analysis in self.run.market.of_pair(pair):
            decided = self.run.series_decisions(analysis.series, settings)
            improvements = self.run.series_improvements(analysis.series, settings)
            own, share = settings.on_clock(analysis.clock), settings.risk_share(analysis.clock)
            plans |= entry_plans(analysis, decided, improvements, own, share)
            entries = entry_columns(analysis, decided, settings, can_short=self.can_short)
            if self.dp.runmode != RunMode.HYPEROPT:  # an epoch plots nothing
                entries |= decision_columns(analysis, decided)
            columns.append(entries)
        self.plans.set_plans(pair, plans)
        merged = held(merge_columns(columns))
        return with_columns(dataframe, self.hedging.entry_columns(pair, merged))

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Leave as the baseline says (``coordinator.trade.signal_exits``).

        Where several clocks are read a trade leaves by those of its own (``PositionRules.signal_exit``), and there are
        no exit signals.
        """
        settings, analyses = self._tuned(), self.run.market.of_pair(metadata["pair"])
        columns: dict[str, Any] = {"exit_long": 0, "exit_short": 0}
        if len(analyses) == 1:
            own = settings.on_clock(analyses[0].clock)
            exits = signal_exits(analyses[0].candles, analyses[0].technical, own)
            columns = {"exit_long": exits.long.astype(int), "exit_short": exits.short.astype(int)}
            columns["exit_tag"] = exits.reason
        if not self.can_short:
            del columns["exit_short"]
        shown = with_columns(dataframe, self.hedging.exit_columns(metadata["pair"], columns))
        return self._chart.shown(shown, metadata["pair"])

    def plot_annotations(
        self, pair: str, start_date: datetime, end_date: datetime, dataframe: DataFrame, **kwargs: Any
    ) -> list[AnnotationType]:
        """What FreqUI draws without a plot config: signals, ML's phases, locks, channels, the open trade."""
        trades = trades_of(pair, self.plans) if self.is_bot else []
        locks = pair_locks(pair) if self.is_bot else []
        return chart_annotations(
            pair, dataframe, self.run, self._tuned(), trades, locks, can_short=self.can_short
        )
