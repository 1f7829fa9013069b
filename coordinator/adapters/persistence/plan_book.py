"""What was planned for each open trade: its tranches, stop and target, found again at every candle."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from freqtrade.persistence import Trade

from coordinator.decision.decisions import Decisions
from coordinator.run.analysis import PairAnalysis
from coordinator.run.improvements import DYNAMIC_REWARD_RISK, VOLATILITY_SIZING, Improved
from coordinator.settings import Settings
from coordinator.signals.series import safe_divide
from coordinator.trade.entries import AT_ONCE, EntryPlan, entry_plan
from coordinator.trade.kelly import kelly_risk
from coordinator.trade.reward_risk import target_distance

__all__ = ["Plan", "PlanBook"]

logger = logging.getLogger(__name__)

CUSTOM_DATA_KEY = "coordinator plan"


@dataclass(frozen=True)
class Plan:
    """The plan of one position.

    Attributes
    ----------
    direction : +1 or -1
    confidence : unified confidence of the signal, 0..1
    stop_distance, target_distance : ratios of the anchor
    entries : the tranches
    anchor : price of the first fill, 0 until it is known
    price : close of the signal's candle, 0 where there was none
    size : multiplier of the planned size (volatility sizing)
    kelly : equity to risk at most by the Kelly criterion, ratio; None where it has nothing to say
    time : open time of the signal's candle, 0 where there was none
    """

    direction: int
    confidence: float
    stop_distance: float
    target_distance: float
    entries: EntryPlan
    anchor: float = 0.0
    price: float = 0.0
    size: float = 1.0
    kelly: float | None = None
    time: int = 0

    @property
    def target_rate(self) -> float:
        """Price of the target."""
        return self.anchor * (1 + self.direction * self.target_distance)

    def to_json(self) -> str:
        """For the trade's custom data."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Inverse of ``to_json``; ValueError, KeyError or TypeError for anything else."""
        data = json.loads(text)
        entries = EntryPlan(tuple(data["entries"]["shares"]), tuple(data["entries"]["offsets"]))
        return cls(**{**data, "entries": entries})


class PlanBook:
    """Plans by the signal's candle, then by trade.

    Plans of accepted signals are filed per pair and candle when entries are populated. A trade finds its plan by the
    candle before its opening; live, the plan is also kept in the trade's custom data and survives a restart.
    """

    def __init__(self, settings: Settings, candle_seconds: int) -> None:
        self._settings = settings
        self._seconds = candle_seconds
        self._signals: dict[str, dict[int, Plan]] = {}
        self._trades: dict[tuple[str, datetime], Plan] = {}
        self._last: tuple[Any, Any] = (None, None)
        self._targets: dict[tuple[str, datetime], tuple[tuple[float, float], float, float]] = {}

    def file(self, pair: str, plans: dict[int, Plan]) -> None:
        """Replace a pair's plans (signal candle's open time -> plan); trades of earlier runs are forgotten."""
        self._signals[pair] = plans
        self._last = None, None
        for known in (self._trades, self._targets):
            for key in [key for key in known if key[0] == pair]:
                del known[key]

    def file_accepted(
        self, analysis: PairAnalysis, decided: Decisions, improved: Mapping[str, Improved]
    ) -> None:
        """File the plans of a pair's accepted signals; the rest is on its own signals, in their order."""
        price, s = analysis.candles.close[analysis.index], self._settings
        reward_risk, size = improved.get(DYNAMIC_REWARD_RISK), improved.get(VOLATILITY_SIZING)
        target = analysis.target_distance
        if reward_risk is not None and reward_risk.mode == "on":
            target = target_distance(
                analysis.stop_distance, analysis.direction, s.targets, s.costs, reward_risk.effective
            )
        columns = (
            analysis.candles.time[analysis.index],
            analysis.direction,
            decided.confidence,
            analysis.stop_distance,
            target,
            price,
            np.ones(len(price)) if size is None else size.effective,
            kelly_risk(
                decided.win_probability,
                decided.expected_r,
                self._settings.targets.reward_risk,
                self._settings.sizing,
            ),
            safe_divide(analysis.technical.indicators.atr[analysis.index], price, np.nan),
        )
        taken = decided.accepted
        rows = zip(*(column[taken].tolist() for column in columns), strict=True)
        plans = {time: replace(self.plan_of(*numbers), time=time) for time, *numbers in rows}
        self.file(analysis.pair, plans)

    def plan_of(
        self,
        direction: int,
        confidence: float,
        stop: float,
        target: float,
        price: float = 0.0,
        size: float = 1.0,
        kelly: float = math.nan,
        atr: float = math.nan,
    ) -> Plan:
        """A plan from a decision's numbers; NaN where Kelly or the ATR are unknown."""
        entries = entry_plan(confidence, stop, self._settings.dca, atr)
        bound = None if math.isnan(kelly) else kelly
        return Plan(direction, confidence, stop, target, entries, price=price, size=size, kelly=bound)

    def at_signal(self, pair: str, now: datetime, direction: int) -> Plan | None:
        """The plan of the signal on the last closed candle, if it is one in that direction."""
        plan = self._signals.get(pair, {}).get(self.last_closed(now))
        return plan if plan is not None and plan.direction == direction else None

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
                direction = -1 if trade.is_short else 1
                plan = self.at_signal(trade.pair, trade.open_date_utc, direction) or self._fallback(trade)
                plan = replace(plan, anchor=_first_fill(trade))
                if not trade.nr_of_successful_entries:
                    return plan  # not filled yet: the anchor is not known
                if stored:
                    trade.set_custom_data(CUSTOM_DATA_KEY, plan.to_json())
            self._trades[key] = plan
        self._last = trade, plan  # Freqtrade asks several questions about a trade in a row
        return plan

    def target_profit(self, trade: Trade, stored: bool, factor: float = 1.0) -> float:
        """Profit ratio of the trade at its target's price; worked out anew after a fill or funding.

        Parameters
        ----------
        factor : float
            Of the target's distance from the anchor; profit is a linear function of the price.
        """
        key, basis = (trade.pair, trade.open_date), (trade.open_rate, trade.funding_fees or 0.0)
        known = self._targets.get(key)
        if known is None or known[0] != basis:
            plan = self.of_trade(trade, stored)
            there: float = trade.calc_profit_ratio(plan.target_rate)
            fees = 1 - plan.direction * (trade.fee_close or 0.0)
            slope = trade.leverage * trade.amount * fees / (trade.open_trade_value or math.inf)
            known = basis, there, slope * plan.anchor * plan.target_distance
            self._targets[key] = known
        return known[1] if factor == 1.0 else known[1] + known[2] * (factor - 1.0)

    def _stored(self, trade: Trade) -> Plan | None:
        text: Any = trade.get_custom_data(CUSTOM_DATA_KEY)
        if not text:
            return None
        try:
            return Plan.from_json(text)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("%s: the stored plan is not readable (%s)", trade.pair, error)
            return None

    def _fallback(self, trade: Trade) -> Plan:
        """For a trade we did not plan (forced entry, another strategy's): one tranche, widest stop."""
        stop = self._settings.stops.hard_limit
        logger.info("%s: no plan for this trade, using the hard stop and the base reward:risk", trade.pair)
        return Plan(
            direction=-1 if trade.is_short else 1,
            confidence=0.0,
            stop_distance=stop,
            target_distance=stop * self._settings.targets.reward_risk,
            entries=AT_ONCE,
        )


def _first_fill(trade: Trade) -> float:
    filled = trade.select_filled_orders(trade.entry_side)
    return float(filled[0].safe_price) if filled else float(trade.open_rate)
