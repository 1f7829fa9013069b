"""How much to put at stake: the whole plan loses a fixed share of the equity at its stop."""

from __future__ import annotations

from coordinator.settings import SizingSettings
from coordinator.trade.entries import EntryPlan

__all__ = ["HIGHEST_RISK", "plan_stake", "tranche_stake"]

HIGHEST_RISK = 0.015
"""Equity lost at the stop at most, whoever asks for more (spec 002: .5-1.5 %)."""


def plan_stake(
    equity: float,
    plan: EntryPlan,
    stop_distance: float,
    leverage: float,
    limit: float,
    settings: SizingSettings,
    multiplier: float = 1.0,
) -> float:
    """Stake of the whole plan in the stake currency.

    The loss at the stop with every tranche filled is ``risk_per_trade`` of the equity; since later tranches fill
    nearer the stop, the plan's mean distance to it is smaller than the first tranche's.

    Parameters
    ----------
    equity : float
        Total equity in the stake currency.
    limit : float
        Upper bound of the stake: what ``stake_amount`` allows for a position.
    multiplier : float
        Of the size (``trade.volatility_sizing``). Up to 1 the loss at the stop stays within ``risk_per_trade``;
        above it, it grows with the size (1.2 is 20 % more risk), but never beyond ``HIGHEST_RISK``: the risk
        budget and the limit have the last word.

    Examples
    --------
    >>> plan = EntryPlan((1.0,), (0.0,))
    >>> plan_stake(10_000, plan, 0.02, 1.0, 100_000, SizingSettings())
    5000.0
    """
    risk = stop_distance - plan.average_offset()
    budget = min(settings.risk_per_trade * multiplier, max(settings.risk_per_trade, HIGHEST_RISK))
    return max(0.0, min(equity * budget / (risk * leverage), limit))


def tranche_stake(total: float, plan: EntryPlan, tranche: int, minimum: float) -> float:
    """Stake of one tranche; a plan whose first tranche is below the exchange's minimum is entered at once.

    Returns 0 where even the whole plan is below the minimum: no trade, rather than more risk than planned.
    """
    if total < minimum:
        return 0.0
    if total * plan.shares[0] < minimum:
        return total if tranche == 0 else 0.0
    stake = total * plan.shares[tranche]
    return stake if stake >= minimum else 0.0
