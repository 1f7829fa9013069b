"""How much to put at stake: the whole plan loses a fixed share of the equity at its stop.

The risk manager (``risk_budget``) has the last word over every other opinion: volatility, Kelly, stake settings.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from coordinator.settings.trade import SizingSettings
from coordinator.trade.entries import AT_ONCE, EntryPlan

__all__ = ["HIGHEST_RISK", "first_stake", "plan_risk", "plan_stake", "risk_budget", "tranche_stake"]

HIGHEST_RISK = 0.015
"""Equity lost at the stop at most, whoever asks for more (spec 002: .5-1.5 %)."""


def risk_budget(
    settings: SizingSettings, multiplier: float = 1.0, kelly: float = math.nan, open_risk: float = 0.0
) -> float:
    """Equity that a plan may lose at its stop, ratio.

    Parameters
    ----------
    multiplier : float
        Of the size (``trade.volatility_sizing``). Up to 1 the loss at the stop stays within ``risk_per_trade``;
        above it, it grows with the size (1.2 is 20 % more risk), but never beyond ``HIGHEST_RISK``.
    kelly : float
        What the Kelly criterion allows (``trade.kelly``), ratio; NaN where it has nothing to say. Counts in
        ``kelly_mode`` "on" only.
    open_risk : float
        What the open plans lose together if all are stopped out in full, ratio of the equity: plans must fit
        below ``max_open_risk``.

    Examples
    --------
    >>> s = SizingSettings(kelly_mode="on")
    >>> [round(risk_budget(s, *x), 4) for x in ((1.0,), (1.5,), (9.0,), (1.0, 0.006), (1.0, 0.5, 0.055))]
    [0.01, 0.015, 0.015, 0.006, 0.005]
    """
    budget = settings.risk_per_trade * multiplier
    if settings.kelly_mode == "on" and kelly == kelly:
        budget = min(budget, kelly)
    return max(0.0, min(budget, HIGHEST_RISK, settings.max_open_risk - open_risk))


def plan_stake(
    equity: float, plan: EntryPlan, stop_distance: float, leverage: float, limit: float, budget: float
) -> float:
    """Stake of the whole plan in the stake currency.

    The loss at the stop with every tranche filled is ``budget`` of the equity; since later tranches fill nearer the
    stop, the plan's mean distance to it is smaller than the first tranche's.

    Parameters
    ----------
    equity : float
        Total equity in the stake currency.
    limit : float
        Upper bound of the stake: what ``stake_amount`` allows for a position.
    budget : float
        As ``risk_budget`` gives it.

    Examples
    --------
    >>> plan_stake(10_000, EntryPlan((1.0,), (0.0,)), 0.02, 1.0, 100_000, 0.01)
    5000.0
    """
    risk = stop_distance - plan.average_offset()
    return max(0.0, min(equity * budget / (risk * leverage), limit))


def plan_risk(total: float, plan: EntryPlan, stop_distance: float, leverage: float) -> float:
    """What a whole plan loses at its stop, stake currency; inverse of ``plan_stake``."""
    return total * leverage * (stop_distance - plan.average_offset())


def tranche_stake(total: float, plan: EntryPlan, tranche: int, minimum: float) -> float:
    """Stake of one tranche; 0 where it is below the exchange's minimum."""
    stake = total * plan.shares[tranche]
    return stake if stake >= minimum else 0.0


def first_stake(
    plan: EntryPlan, minimum: float, total_of: Callable[[EntryPlan], float]
) -> tuple[float, EntryPlan]:
    """Stake of the first tranche, and the plan it belongs to: one tranche where the minimum leaves no room for more.

    A position that is entered at once has all of itself at the first price, the farthest from the stop: it is sized
    anew, smaller than the plan, so that it loses no more than the plan would have.

    Parameters
    ----------
    total_of : callable
        Stake of a whole plan, as ``plan_stake`` gives it.

    Returns
    -------
    tuple
        A stake of 0 where even one tranche is below the minimum: no trade, rather than more risk than planned.

    Examples
    --------
    >>> two = EntryPlan((0.6, 0.4), (0.0, 0.005))
    >>> first_stake(two, 5.0, lambda plan: plan_stake(13.0, plan, 0.02, 1.0, 100.0, 0.01))[0]
    6.5
    """
    for chosen in (plan, AT_ONCE):
        stake = tranche_stake(total_of(chosen), chosen, 0, minimum)
        if stake:
            return stake, chosen
    return 0.0, plan
