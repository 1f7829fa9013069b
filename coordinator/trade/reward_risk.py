"""The target: reward:risk times the stop distance, grossed up for costs (spec 003)."""

from __future__ import annotations

import numpy as np

from coordinator.settings.trade import CostSettings, TargetSettings
from coordinator.types import Floats, Ints

__all__ = ["target_distance"]


def target_distance(
    stop_distance: Floats,
    direction: Ints,
    targets: TargetSettings,
    costs: CostSettings,
    reward_risk: Floats | None = None,
) -> Floats:
    """Distance of the target from the entry, ratio of its price, shape as the inputs; infinite where targets are off.

    The target's price is multiplied by the cost factor (long) or divided by it (short), so that the reward after
    costs is the wanted reward:risk.

    Parameters
    ----------
    reward_risk : ndarray or None
        Each signal's own (``trade.dynamic_reward_risk``); None means the fixed one of the settings.

    Examples
    --------
    >>> target_distance(np.array([0.02]), np.array([1]), TargetSettings(), CostSettings()).round(6)
    array([0.051732])
    """
    if not targets.enabled:
        return np.full(np.shape(stop_distance), np.inf)
    gross = (targets.reward_risk if reward_risk is None else reward_risk) * stop_distance
    long = (1 + gross) * costs.cost_factor - 1
    short = 1 - (1 - gross) / costs.cost_factor
    return np.where(direction > 0, long, short)
