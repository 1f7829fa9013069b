"""The Kelly criterion from the calibrated win probability: how much a signal deserves at most."""

from __future__ import annotations

import numpy as np

from coordinator.settings.trade import SizingSettings
from coordinator.types import Floats

__all__ = ["kelly_risk"]


def kelly_risk(
    win_probability: Floats, expected_r: Floats, reward_risk: float, settings: SizingSettings
) -> Floats:
    """Equity to risk at the stop at most, ratio, shape (n,); NaN where nothing is calibrated yet.

    With win probability p, a win of b (the reward:risk after costs) and a loss of a, the bet that grows the account
    fastest is f = p / a - (1 - p) / b (Kelly 1956; Thorp 2006). Most trades that miss their target are left at the
    time limit and lose less than 1 R, so a is what the calibrated expectation E = p b - (1 - p) a says they lose on
    average. ``kelly_fraction`` of f is taken, never less than ``kelly_minimum``: the documented least risk.

    Parameters
    ----------
    win_probability : 0..1
    expected_r : R after costs

    Examples
    --------
    >>> p, e = np.array([0.6, 0.3, 0.2, np.nan]), np.array([1.1, 0.05, -0.1, np.nan])
    >>> kelly_risk(p, e, 2.5, SizingSettings()).round(4)
    array([0.22 , 0.01 , 0.005,   nan])
    """
    s, p = settings, win_probability
    loss = (p * reward_risk - expected_r) / np.maximum(1.0 - p, 1e-9)
    with np.errstate(invalid="ignore", divide="ignore"):
        full = np.where(loss > 0, p / loss - (1.0 - p) / reward_risk, np.inf)
    return np.where(np.isfinite(p + expected_r), np.maximum(s.kelly_fraction * full, s.kelly_minimum), np.nan)
