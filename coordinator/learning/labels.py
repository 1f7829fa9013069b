"""What a model is asked: where the price goes within the horizon, in units of its own volatility."""

from __future__ import annotations

import numpy as np

from coordinator.settings import LearningSettings
from coordinator.signals.series import lag, rolling_std
from coordinator.types import Floats

__all__ = ["CLASSES", "VOLATILITY_WINDOW", "forward_direction"]

CLASSES = (0, 1, -1)
"""HOLD, BUY, SELL, in the order of the network's outputs."""

VOLATILITY_WINDOW = 168


def forward_direction(close: Floats, settings: LearningSettings) -> Floats:
    """Label of each candle: +1, -1 or 0, shape (n,).

    +1 (-1) where the log return over the next ``label_horizon`` candles is above (below) ``label_sigmas`` of its
    standard deviation, which is measured on the past week. NaN for the last ``label_horizon`` candles, whose future
    is not in the data, and while the volatility lacks history: such rows train nothing.
    """
    price, horizon = np.log(close), settings.label_horizon
    ahead = np.full(len(close), np.nan)
    ahead[: len(close) - horizon] = price[horizon:] - price[: len(close) - horizon]
    sigma = rolling_std(price - lag(price, 1), VOLATILITY_WINDOW) * np.sqrt(horizon)
    bound = settings.label_sigmas * sigma
    with np.errstate(invalid="ignore"):
        label = np.where(ahead > bound, 1.0, np.where(ahead < -bound, -1.0, 0.0))
    return np.where(np.isfinite(ahead) & np.isfinite(bound), label, np.nan)
