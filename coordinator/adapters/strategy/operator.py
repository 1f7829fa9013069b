"""The strategy's side of operation: what views are made of, alerts, and the ways in, Telegram and REST.

Nothing here may stop a candle's decisions: whatever fails is one error in the log.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from freqtrade.persistence import Trade

from coordinator.adapters.persistence.trade_recorder import DECISION_KEY
from coordinator.adapters.telegram.attach import attach_telegram
from coordinator.ledger.location import ledger_location
from coordinator.ledger.store import Ledger
from coordinator.run.live.decisions import LiveDecisions
from coordinator.settings.alerts import AlertKind
from coordinator.signals.candles import timeframe_seconds
from coordinator.status.alerts.book import PREFIX, AlertBook
from coordinator.status.alerts.causes import Alert, candle_alerts, silence_alerts
from coordinator.status.facts import Facts, TradeFacts, gather_facts
from coordinator.status.source import Source
from coordinator.status.summary import read_summary, summary_text
from coordinator.types import SECONDS_PER_DAY

__all__ = ["Operator", "attach_operator", "attach_webserver"]

logger = logging.getLogger(__name__)

SINCE = f"{PREFIX}since"
CHANNELS = ("telegram", "discord", "webhook")


def attach_operator(strategy: Any, live: LiveDecisions) -> Operator | None:
    """An operator's side for a bot; None where it cannot be made, which stops nothing."""
    try:
        return Operator(strategy, live)
    except Exception:
        logger.exception("No views and no alerts: the bot trades on without them")
        return None


def attach_webserver(strategy: Any) -> None:
    """In webserver mode, where no bot runs, the API server answers from the ledger of the config."""
    try:
        from freqtrade.rpc.api_server.webserver import ApiServer

        server = getattr(ApiServer, "_ApiServer__instance", None)
        if server is not None:
            config, settings = strategy.config, strategy.settings
            source = Source(Ledger(ledger_location(config, settings)), settings, uses_ml=strategy.uses_ml)
            from coordinator.adapters.rest.attach import attach_rest

            attach_rest(server.app, source)
    except Exception as error:
        logger.warning("The API server has none of our views: %s: %s", type(error).__name__, error)


class Operator:
    """Copies the bot's facts, tells of what happened, and lets Telegram and the API server ask.

    Parameters
    ----------
    strategy : the bot's
    live : its decisions, with the ledger
    """

    def __init__(self, strategy: Any, live: LiveDecisions) -> None:
        self._strategy, self._live = strategy, live
        config, settings = strategy.config, strategy.settings
        self._seconds = timeframe_seconds(strategy.timeframe)
        self._facts: Facts | None = None
        self._seen: tuple[Any, ...] = ()
        self._now = datetime.now(UTC)
        self._looked_at = -1
        self._refusals: Mapping[str, tuple[int, str]] = {}
        self._silent: list[Alert] = []
        self._failed: set[str] = set()
        run_id = live.ledger.run_id
        told = dict(live.ledger.ledger.named_snapshots(run_id, PREFIX))
        self._since = int(told[SINCE].state["candle"]) if SINCE in told else None
        self._book = AlertBook(settings.alerts, live.ledger, set(told), self._send)
        self.source = Source(
            Ledger(ledger_location(config, settings)),
            settings,
            run_id=run_id,
            uses_ml=strategy.uses_ml,
            facts=lambda: self._facts,
        )
        self._waiting: list[Any] = []
        self._attempt("the ways in", self._open_ways)

    # --- telling ----------------------------------------------------------------------------------------------

    def tell(self, kind: AlertKind, cause: str, message: str) -> None:
        """Tell the user, unless that kind is off or the cause was told before."""
        self._attempt("an alert", lambda: self._book.tell(kind, cause, message, self._now, self._candle))

    def _send(self, message: str) -> None:
        self._strategy.dp.send_msg(message, always_send=True)

    @property
    def _candle(self) -> int:
        """Under which the ledger keeps what is told: the newest closed candle."""
        return self._facts.candle if self._facts is not None else self._strategy.plans.last_closed(self._now)

    # --- once a loop ------------------------------------------------------------------------------------------

    def update(self, now: datetime) -> None:
        """Copy what is new, look for what is to be told, and open the ways in that were not ready yet."""
        self._now = now
        if self._waiting:
            self._attempt("the ways in", self._open_waiting)
        self._attempt("the copy of the bot's state", self._copy)
        self._attempt("the alerts", self._look)

    def _attempt(self, what: str, do: Callable[[], object]) -> None:
        """Do something that may fail: an error in the log, once for each kind."""
        try:
            do()
        except Exception as error:
            kind = f"{what}: {type(error).__name__}"
            if kind not in self._failed:
                self._failed.add(kind)
                logger.exception("%s failed; the bot trades on", what.capitalize())

    def _copy(self) -> None:
        strategy = self._strategy
        settings = strategy._tuned()
        run, trades = strategy.run, list(Trade.get_open_trades())
        if not run.is_decided(settings):
            return
        pairs = tuple(strategy.dp.current_whitelist())
        seen = (
            run.market.version,
            pairs,
            tuple(strategy.recorder.refusals.items()),
            *((t.id, t.stop_loss, t.nr_of_successful_entries, t.nr_of_successful_exits) for t in trades),
        )
        if seen == self._seen and self._facts is not None:
            self._facts = replace(self._facts, at=self._now)
            return
        self._facts = gather_facts(
            self._now,
            run,
            self._live.fold,
            settings,
            strategy.recorder,
            strategy.guard,
            strategy.hedging.monitor,
            pairs=pairs,
            trades=tuple(self._trade(trade) for trade in trades if trade.nr_of_successful_entries),
            equity=None if strategy.wallets is None else strategy.hedging.equity(strategy.wallets),
            currency=strategy.config["stake_currency"],
            failed_trainings=tuple(getattr(getattr(strategy, "freqai", None), "failed_trainings", ())),
        )
        self._seen = seen

    def _look(self) -> None:
        facts, alerts = self._facts, self._strategy.settings.alerts
        if facts is None or not facts.candle or not alerts.enabled:
            return
        if self._since is None:
            self._begin(facts)
        # Facts are as old as the last loop; a bot that was stopped itself for hours finds the candles in this one.
        silent = list(silence_alerts(facts, self._now, self._seconds, alerts.silent_hours))
        for alert in silent if silent == self._silent else ():
            self._book.tell(*alert, self._now, facts.candle)
        self._silent = silent
        if self._looked_at != facts.candle or facts.refusals != self._refusals:
            self._looked_at, self._refusals = facts.candle, facts.refusals
            for alert in candle_alerts(self.source, facts, self._since or 0):
                self._book.tell(*alert, self._now, facts.candle)
        self._daily(facts)

    def _begin(self, facts: Facts) -> None:
        """A bot's very first candle: what was before is not told, and the first summary is of its first whole day."""
        self._since = facts.candle
        self._live.ledger.store_state(SINCE, facts.candle, {"candle": facts.candle})
        self._book.note("daily", self._day, "", self._now, facts.candle)

    @property
    def _day(self) -> str:
        return f"{self._now:%Y-%m-%d}"

    def _daily(self, facts: Facts) -> None:
        alerts = self._strategy.settings.alerts
        if not alerts.daily_summary or self._now.hour < alerts.daily_hour:
            return
        if not self._book.was_told("daily", self._day):
            view = read_summary(self.source, int(self._now.timestamp()) // SECONDS_PER_DAY - 1)
            self._book.send_daily(self._day, summary_text(view), self._now, facts.candle)

    # --- the account ------------------------------------------------------------------------------------------

    def _trade(self, trade: Trade) -> TradeFacts:
        strategy, direction = self._strategy, -1 if trade.is_short else 1
        is_hedge = strategy.hedging.is_hedge(trade)
        target, tranches = None, "1 of 1"
        if not is_hedge:
            plan = strategy._plan(trade)
            tranches = f"{trade.nr_of_successful_entries} of {len(plan.entries.shares)}"
            factor = strategy.rules.target_factor(trade, direction, self._now)
            rate = plan.anchor * (1 + direction * plan.target_distance * factor)
            target = rate if math.isfinite(rate) else None
        entered: Any = None if is_hedge else trade.get_custom_data(DECISION_KEY)
        return TradeFacts(
            pair=trade.pair,
            direction=direction,
            opened=trade.open_date_utc,
            entry=float(trade.open_rate),
            stake=float(trade.stake_amount),
            stop=float(trade.stop_loss) if trade.stop_loss else None,
            target=target,
            tranches=tranches,
            tag=str(trade.enter_tag or ""),
            is_hedge=is_hedge,
            entered_on=entered if isinstance(entered, Mapping) else None,
        )

    # --- the ways in ------------------------------------------------------------------------------------------

    def _open_ways(self) -> None:
        """Reach the modules of Freqtrade's RPC manager, by a private name: there is no other way."""
        manager = getattr(self._strategy.dp, "_DataProvider__rpc", None)
        if manager is None:
            return  # a bot without channels
        self._waiting = list(manager.registered_modules)
        self._say_where_alerts_go(self._waiting)
        self._open_waiting()

    def _open_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for module in waiting:
            try:
                if module.name == "apiserver":
                    from coordinator.adapters.rest.attach import attach_rest

                    logger.info("The API server answers under %s", attach_rest(module.app, self.source))
                elif module.name == "telegram" and not attach_telegram(module, self.source):
                    self._waiting.append(module)
            except Exception as error:
                logger.warning(
                    "%s has none of our views; it did not start, or Freqtrade has changed (%s: %s)",
                    module.name,
                    type(error).__name__,
                    error,
                )

    def _say_where_alerts_go(self, modules: list[Any]) -> None:
        if not self._strategy.settings.alerts.enabled:
            return
        for module in modules:
            if module.name in CHANNELS and not module._config[module.name].get("allow_custom_messages"):
                logger.warning(
                    "%s.allow_custom_messages is not true: alerts and the daily summary are not sent there",
                    module.name,
                )
