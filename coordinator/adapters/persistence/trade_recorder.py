"""Keeps a bot's real trades in its ledger, and on each trade what it was entered on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from freqtrade.persistence import Trade

from coordinator.adapters.persistence.trade_rows import intended_row, trade_row, unfilled_row
from coordinator.ledger.trades import TradeRow
from coordinator.run.explanation import entry_reason
from coordinator.run.live.ledger import LiveLedger
from coordinator.trade.plan import Plan

__all__ = ["DECISION_KEY", "FORCED_TAG", "WHY_KEY", "TradeRecorder"]

DECISION_KEY = "coordinator decision"
"""Custom data of a trade: what it was entered on (FreqUI and ``/trades/{id}/custom-data`` show it)."""

WHY_KEY = "why"
"""The same in a sentence, of every trade: those entered by hand and the hedge too."""

FORCED_TAG = "force_entry"
"""The entry tag of a trade by hand: Freqtrade's, unless another one is asked for."""


class TradeRecorder:
    """Records nothing in backtests: ``coordinator backtest`` adds their trades afterwards.

    Parameters
    ----------
    describe_signal : gives what a pair's signal at a candle was decided on, None without a signal
    """

    def __init__(self, describe_signal: Callable[[str, int], Mapping[str, Any] | None]) -> None:
        self._describe_signal = describe_signal
        self._ledger: LiveLedger | None = None
        self._ordered: dict[tuple[int, str], TradeRow] = {}
        self._reconciled: int | None = None

    def start_live(self, ledger: LiveLedger) -> None:
        """Keep trades in a bot's ledger from now on."""
        self._ledger = ledger

    def entry_ordered(
        self, pair: str, plan: Plan | None, direction: int, now: datetime, signal_time: int
    ) -> None:
        """An entry is about to be ordered."""
        if self._ledger is not None:
            row = intended_row(pair, plan, direction, now, signal_time)
            self._ordered[row.time, pair] = row
            self._ledger.write_trade(row)

    def order_filled(
        self, trade: Trade, plan: Plan, signal_time: int, time_limit: str, widest_stop: float
    ) -> None:
        """An order of a trade was filled.

        Parameters
        ----------
        time_limit : of the trade, in words
        widest_stop : distance of Freqtrade's own stop at the trade's leverage, ratio of the price
        """
        if self._ledger is None:
            return
        self._ordered.pop((signal_time, trade.pair), None)
        self._ledger.write_trade(trade_row(trade, plan, signal_time))
        if not trade.is_open or trade.nr_of_successful_entries != 1:
            return
        # Without a time the plan is nobody's signal, whatever the strategy says about that candle.
        decision = self._describe_signal(trade.pair, plan.time) if plan.time else None
        if decision is not None and trade.get_custom_data(DECISION_KEY) is None:
            trade.set_custom_data(DECISION_KEY, decision)
        if trade.get_custom_data(WHY_KEY) is None:
            by_hand = trade.enter_tag == FORCED_TAG
            text = entry_reason(decision, plan, time_limit, by_hand=by_hand, widest_stop=widest_stop)
            trade.set_custom_data(WHY_KEY, text)

    def postpone(self) -> None:
        """A trade cannot be recorded yet: it is looked at again with the next candle."""
        if self._ledger is not None:
            self._ledger.trades_stale = True

    @staticmethod
    def hedge_filled(trade: Trade, reason: str) -> None:
        """An order of the hedge was filled."""
        if trade.is_open and trade.get_custom_data(WHY_KEY) is None:
            trade.set_custom_data(WHY_KEY, f"the portfolio's hedge: {reason}")

    def reconcile(
        self,
        now: datetime,
        record: Callable[[Trade], None],
        last_closed: Callable[[datetime], int],
        is_hedge: Callable[[Trade], bool],
    ) -> None:
        """Bring the ledger's trades up to date after a restart or an outage; close entries that never filled.

        The hedge is on nobody's signal and no trade of the ledger.

        Parameters
        ----------
        record : records a trade's fills
        """
        if self._ledger is None:
            return
        candle = last_closed(now)
        if self._ledger.trades_stale and candle != self._reconciled:
            self._reconciled = candle  # while the ledger is out, once a candle is often enough
            self._ledger.trades_stale = False  # a write that fails sets it again
            still_open = self._ledger.open_trades()
            for trade in Trade.get_trades_proxy():
                if is_hedge(trade):
                    continue
                key = (last_closed(trade.open_date_utc), trade.pair)
                if (trade.is_open or key in still_open) and trade.nr_of_successful_entries:
                    record(trade)
        if self._ordered:
            held = {trade.pair for trade in Trade.get_open_trades()}
            for key, row in list(self._ordered.items()):
                # While its signal lasts Freqtrade may order the same entry anew.
                if row.pair not in held and row.time < candle:
                    self._ledger.write_trade(unfilled_row(row, now))
                    del self._ordered[key]
