"""How large a position is: the risk budget of its plan, Kelly's cap, and what fits below the volatility target."""

from __future__ import annotations

import logging
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

__all__ = ["TOO_SMALL", "Funds", "PositionSizing", "SizedEntry"]

logger = logging.getLogger(__name__)

DAYS_PER_YEAR = 365
TOO_SMALL = "THE WALLET IS TOO SMALL"
"""Begins the one line that a run says of a wallet that no trade fits into."""
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
    currency : the stake currency, for what is said
    """

    def __init__(self, market: AnalysedMarket, report: Report, currency: str) -> None:
        self._market, self._report, self._currency = market, report, currency
        self._told_small = False
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
        planned = total_of(AT_ONCE)
        if planned <= 0:
            return SizedEntry(stake, entries, "the risk that sizing allows is used up")
        if funds.open_risk == 0:  # nothing is open that leaves less room
            self._say_too_small(pair, plan, planned, funds, budget)
        return SizedEntry(stake, entries, "the planned stake is below the exchange's minimum")

    def _say_too_small(self, pair: str, plan: Plan, planned: float, funds: Funds, budget: float) -> None:
        """Once a run: with which figures no trade fits, and what to set."""
        if self._told_small:
            return
        self._told_small = True
        by_limit = planned >= funds.limit
        why = (
            "stake_amount and max_open_trades leave"
            if by_limit
            else f"{budget:.2%} of it at a stop {plan.stop_distance:.1%} away is"
        )
        setting = "lower max_open_trades" if by_limit else "raise coordinator.sizing.risk_per_trade"
        logger.warning(
            "%s: it holds %.4g %s, %s a stake of %.4g, and the exchange takes %.4g or more (%s): nothing smaller is "
            "entered, no more risk is taken. Have %.4g %s or more (dry_run_wallet in a dry-run and a backtest), or %s. "
            "This is said once.",
            *(TOO_SMALL, funds.equity, self._currency, why, planned, funds.minimum, pair),
            *(funds.equity * funds.minimum / planned * 1.01, self._currency, setting),
        )

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
