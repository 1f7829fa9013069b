"""How large a position is: the risk budget of its plan, Kelly's cap, and what fits below the volatility target."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from coordinator.ledger.records import ImprovementRow
from coordinator.run.improvements import VOLATILITY_TARGET
from coordinator.run.market import AnalysedMarket
from coordinator.settings.trade import SizingSettings
from coordinator.trade.entries import AT_ONCE, EntryPlan
from coordinator.trade.plan import Plan
from coordinator.trade.sizing import first_stake, plan_stake, risk_budget
from coordinator.trade.volatility_target import fitting_share

__all__ = ["Funds", "PositionSizing", "SizedEntry"]

DAYS_PER_YEAR = 365
Report = Callable[[int, ImprovementRow, str], None]


class Funds(NamedTuple):
    """What a new position may be made of.

    Attributes
    ----------
    equity : total, stake currency
    limit, minimum : greatest and least stake
    leverage : of the position
    open_risk : what the open plans lose together if all are stopped out, share of the equity
    held : gives the notional of the open positions by pair, shorts negative, stake currency; asked where it is needed
    """

    equity: float
    limit: float
    minimum: float
    leverage: float
    open_risk: float
    held: Callable[[], Mapping[str, float]]


class SizedEntry(NamedTuple):
    """What is ordered first of a plan.

    Attributes
    ----------
    stake : of the first tranche, stake currency; 0 where there is no room for it
    entries : the tranches
    refusal : why the stake is 0; empty where it is not
    """

    stake: float
    entries: EntryPlan
    refusal: str = ""


class PositionSizing:
    """Sizes the positions of one run and records, once a signal, what its caps did.

    Parameters
    ----------
    market : the analysed pairs
    report : called with (candle time, row, log line)
    """

    def __init__(self, market: AnalysedMarket, report: Report) -> None:
        self._market, self._report = market, report
        self._reported: tuple[str, int] = ("", 0)

    def stake(self, pair: str, plan: Plan, time: int, funds: Funds, sizing: SizingSettings) -> SizedEntry:
        """Stake of a plan's first tranche, and its tranches: one where the exchange's minimum leaves no room for more.

        Parameters
        ----------
        time : open time of the last closed candle
        """
        fresh = self._reported != (pair, plan.time)
        self._reported = pair, plan.time
        kelly = math.nan if plan.kelly is None else plan.kelly
        budget = risk_budget(sizing, plan.size, kelly, funds.open_risk)
        if fresh and sizing.kelly_mode != "off" and plan.kelly is not None:
            risk = sizing.risk_per_trade * plan.size
            row = ImprovementRow(pair, "kelly_cap", sizing.kelly_mode, risk, min(risk, plan.kelly))
            self._report(time, row, f"{pair}: risk {risk:.2%}, Kelly {plan.kelly:.2%}")
        share = self._fitting_share(pair, plan, time, funds, sizing, budget, fresh)

        def total_of(entries: EntryPlan) -> float:
            distance, leverage = plan.stop_distance, funds.leverage
            return share * plan_stake(funds.equity, entries, distance, leverage, funds.limit, budget)

        stake, entries = first_stake(plan.entries, funds.minimum, total_of)
        if stake:
            return SizedEntry(stake, entries)
        small = total_of(AT_ONCE) > 0
        why = (
            "the planned stake is below the exchange's minimum"
            if small
            else "the risk that sizing allows is used up"
        )
        return SizedEntry(stake, entries, why)

    def _fitting_share(
        self,
        pair: str,
        plan: Plan,
        time: int,
        funds: Funds,
        sizing: SizingSettings,
        budget: float,
        fresh: bool,
    ) -> float:
        """Share of the planned size that the volatility target lets through, 1 where it is not on."""
        target = sizing.volatility_target
        if target.mode == "off" or funds.equity <= 0:
            return 1.0
        panel = self._market.returns()
        if pair not in panel.pairs:
            return 1.0
        total = plan_stake(
            funds.equity, plan.entries, plan.stop_distance, funds.leverage, funds.limit, budget
        )
        weights, added = np.zeros(len(panel.pairs)), np.zeros(len(panel.pairs))
        for name, notional in funds.held().items():
            if name in panel.pairs:
                weights[panel.pairs.index(name)] += notional / funds.equity
        added[panel.pairs.index(pair)] = plan.direction * total * funds.leverage / funds.equity
        covariance = panel.covariance(time, target.window)
        share = fitting_share(covariance, weights, added, target.annual / math.sqrt(DAYS_PER_YEAR))
        if fresh:
            line = f"{pair}: {share:.0%} of the planned size fits below the volatility target"
            self._report(time, ImprovementRow(pair, VOLATILITY_TARGET, target.mode, 1.0, share), line)
        return share if target.mode == "on" else 1.0
