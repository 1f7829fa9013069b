"""The plan of each open trade, looked up at every candle; a bot's plans also stand in the trades' custom data."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from freqtrade.persistence import Trade

from coordinator.run.entry_plans import unplanned
from coordinator.settings import Settings
from coordinator.trade.entries import AT_ONCE
from coordinator.trade.plan import Plan
from coordinator.trade.sizing import plan_risk

__all__ = ["PlanBook", "planned_stake"]

logger = logging.getLogger(__name__)

CUSTOM_DATA_KEY = "coordinator plan"


class PlanBook:
    """Plans by the signal's candle, then by trade.

    Plans of accepted signals are filed per pair and candle when entries are populated. A trade finds its plan by the
    candle before its opening; live, the plan is also kept in the trade's custom data and survives a restart.

    Parameters
    ----------
    by_hand : gives the plan of a forced entry by pair, open time of the last closed candle, and direction; None where
        the market is not known
    """

    def __init__(
        self,
        settings: Settings,
        candle_seconds: int,
        by_hand: Callable[[str, int, int], Plan | None] = lambda pair, time, direction: None,
    ) -> None:
        self._by_hand = by_hand
        self._settings = settings
        self._seconds = candle_seconds
        self._signals: dict[str, dict[int, Plan]] = {}
        self._trades: dict[tuple[str, datetime], Plan] = {}
        self._last: tuple[Any, Any] = (None, None)
        self._targets: dict[tuple[str, datetime], tuple[tuple[float, float], float, float]] = {}
        self._told: set[tuple[str, datetime]] = set()

    def set_plans(self, pair: str, plans: dict[int, Plan]) -> None:
        """Replace a pair's plans (signal candle's open time -> plan); trades of earlier runs are forgotten."""
        self._signals[pair] = plans
        self._last = None, None
        for by_trade in (self._trades, self._targets):
            for key in [key for key in by_trade if key[0] == pair]:
                del by_trade[key]

    def at_signal(self, pair: str, now: datetime, direction: int) -> Plan | None:
        """The plan of the signal on the last closed candle, if it is one in that direction."""
        plan = self._signals.get(pair, {}).get(self.last_closed(now))
        return plan if plan is not None and plan.direction == direction else None

    def without_signal(self, pair: str, now: datetime, direction: int) -> Plan:
        """The plan of a trade that no signal began."""
        by_hand = self._by_hand(pair, self.last_closed(now), direction)
        return unplanned(direction, self._settings) if by_hand is None else by_hand

    def last_closed(self, now: datetime) -> int:
        """Open time of the last closed candle, seconds since the epoch."""
        return (int(now.timestamp()) // self._seconds - 1) * self._seconds

    def enter_at_once(self, pair: str, now: datetime, plan: Plan) -> None:
        """Collapse the plan to one tranche: the exchange's minimum leaves no room for more."""
        self._signals[pair][self.last_closed(now)] = replace(plan, entries=AT_ONCE)

    def of_trade(self, trade: Trade, stored: bool) -> Plan:
        """The plan of an open trade, anchored at its first fill.

        Parameters
        ----------
        stored : bool
            Whether plans live in the trades' custom data too (live and dry-run): looked up there after a restart,
            written there when first used.
        """
        if trade is self._last[0]:
            last: Plan = self._last[1]
            return last
        key = (trade.pair, trade.open_date)
        plan = self._trades.get(key)
        if plan is None:
            plan = self._stored(trade) if stored else None
            if plan is None:
                plan = replace(self._of_signal(trade), anchor=_first_fill(trade))
                if not trade.nr_of_successful_entries or not self._is_analysed(trade):
                    return plan  # not filled, the anchor is not known; or not analysed yet: asked again
                if stored:
                    trade.set_custom_data(CUSTOM_DATA_KEY, plan.to_json())
            self._trades[key] = plan
        self._last = trade, plan  # Freqtrade asks several questions about a trade in a row
        return plan

    @property
    def analysed(self) -> bool:
        """Whether any pair has been analysed since the bot began."""
        return bool(self._signals)

    def awaits_analysis(self, trade: Trade) -> bool:
        """Whether a bot cannot know a trade's plan yet: none is stored, and its pair was not analysed for it.

        So it is after a kill between an entry's order and the first look at its fill, and after a forced entry of a
        pair that is not, or no longer, in the whitelist: Freqtrade analyses it as soon as the trade is there.
        """
        return self.known(trade) is None and not self._is_analysed(trade)

    def _is_analysed(self, trade: Trade) -> bool:
        """Whether a trade's pair was analysed up to its opening."""
        opened, direction = trade.open_date_utc, -1 if trade.is_short else 1
        return trade.pair in self._signals and (
            self.at_signal(trade.pair, opened, direction) is not None
            or self._by_hand(trade.pair, self.last_closed(opened), direction) is not None
        )

    def known(self, trade: Trade) -> Plan | None:
        """A bot's plan of an open trade where there is one already; changes nothing."""
        return self._trades.get((trade.pair, trade.open_date)) or self._stored(trade)

    def target_profit(self, trade: Trade, stored: bool, factor: float = 1.0) -> float:
        """Profit ratio of the trade at its target's price, infinite without a target; anew after a fill or funding.

        Parameters
        ----------
        factor : float
            Of the target's distance from the anchor; profit is a linear function of the price.
        """
        plan = self.of_trade(trade, stored)
        if math.isinf(plan.target_distance):
            return math.inf
        key, basis = (trade.pair, trade.open_date), (trade.open_rate, trade.funding_fees or 0.0)
        cached = self._targets.get(key)
        if cached is None or cached[0] != basis:
            at_plan: float = trade.calc_profit_ratio(plan.target_rate)
            fees = 1 - plan.direction * (trade.fee_close or 0.0)
            slope = trade.leverage * trade.amount * fees / (trade.open_trade_value or math.inf)
            cached = basis, at_plan, slope * plan.anchor * plan.target_distance
            self._targets[key] = cached
        return cached[1] if factor == 1.0 else cached[1] + cached[2] * (factor - 1.0)

    def open_risk(self, trades: Iterable[Trade], stored: bool) -> float:
        """What the plans of filled trades lose together if all are stopped out in full, stake currency."""
        plans = [(trade, self.of_trade(trade, stored)) for trade in trades]
        return sum(
            plan_risk(planned_stake(trade, plan), plan.entries, plan.stop_distance, trade.leverage)
            for trade, plan in plans
            if trade.nr_of_successful_entries
        )

    def _stored(self, trade: Trade) -> Plan | None:
        text: Any = trade.get_custom_data(CUSTOM_DATA_KEY)
        if not text:
            return None
        try:
            return Plan.from_json(text)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("%s: the stored plan is not readable (%s)", trade.pair, error)
            return None

    def _of_signal(self, trade: Trade) -> Plan:
        """The plan of the signal before the trade's opening; without one what a signal would have got."""
        direction = -1 if trade.is_short else 1
        found = self.at_signal(trade.pair, trade.open_date_utc, direction)
        if found is not None:
            return found
        planned = self.without_signal(trade.pair, trade.open_date_utc, direction)
        key = (trade.pair, trade.open_date)
        # While an order waits for its fill it is asked at every look.
        if key not in self._told and self._is_analysed(trade):
            self._told.add(key)
            words = "%s: no signal for this trade, planned is a stop %.2f%% away as a signal's would be"
            logger.info(words, trade.pair, 100 * planned.stop_distance)
        return planned


def _first_fill(trade: Trade) -> float:
    filled = trade.select_filled_orders(trade.entry_side)
    return float(filled[0].safe_price) if filled else float(trade.open_rate)


def planned_stake(trade: Trade, plan: Plan) -> float:
    """Stake of a trade's whole plan, from its first fill."""
    first: float = trade.select_filled_orders(trade.entry_side)[0].stake_amount_filled
    return first / plan.entries.shares[0]
