"""What a model predicts: where the price goes within the horizon, in units of its own volatility."""

from __future__ import annotations

import numpy as np

from coordinator.settings.learning import LearningSettings
from coordinator.signals.breaks import crosses_break
from coordinator.signals.candles import Candles
from coordinator.signals.series import lag, rolling_std
from coordinator.types import Floats, Ints

__all__ = [
    "CLASSES",
    "VOLATILITY_WINDOW",
    "class_numbers",
    "direction_labels",
    "first_barrier",
    "forward_direction",
]

CLASSES = (0, 1, -1)
"""HOLD, BUY, SELL, in the order of the network's outputs."""

VOLATILITY_WINDOW = 168


def class_numbers(labels: Floats) -> Ints:
    """Positions in ``CLASSES`` of the labels -1, 0 and +1; NaN gets that of 0."""
    number = np.array([CLASSES.index(c) for c in (-1, 0, 1)], dtype=np.int64)
    return number[np.searchsorted([-1, 0, 1], np.nan_to_num(labels))]


def direction_labels(candles: Candles, settings: LearningSettings) -> Floats:
    """The label that the settings ask for, shape (n,): ``forward_direction`` or ``first_barrier``.

    NaN also where a break of the history lies within the horizon (``signals.breaks``).
    """
    barrier = settings.label == "barrier"
    label = first_barrier(candles, settings) if barrier else forward_direction(candles.close, settings)
    return np.where(crosses_break(candles, settings.label_horizon), np.nan, label)


def first_barrier(candles: Candles, settings: LearningSettings) -> Floats:
    """+1 where the upper of two equally distant barriers is touched first, -1 where the lower is; shape (n,).

    The barriers stand ``label_sigmas`` standard deviations of the return over ``label_horizon`` candles away from the
    close; highs and lows touch them. 0 where neither is touched within the horizon or one candle touches both. NaN as
    in ``forward_direction``. Lopez de Prado 2018, chapter 3 (triple barrier).
    """
    horizon, n = settings.label_horizon, len(candles)
    bound = settings.label_sigmas * _sigma(candles.close, horizon)
    label = np.full(n, np.nan)
    if n <= horizon:
        return label
    high, low = (
        np.lib.stride_tricks.sliding_window_view(np.log(prices[1:]), horizon)
        for prices in (candles.high, candles.low)
    )
    price, distance = np.log(candles.close[: len(high), None]), bound[: len(high), None]
    with np.errstate(invalid="ignore"):
        up, down = (high - price >= distance), (price - low >= distance)
    first_up, first_down = (np.where(hit.any(axis=1), hit.argmax(axis=1), horizon) for hit in (up, down))
    label[: len(high)] = np.sign(first_down - first_up)
    label[~np.isfinite(bound)] = np.nan
    return label


def _sigma(close: Floats, horizon: int) -> Floats:
    """Standard deviation of the log return over the horizon, from the hourly returns of the past week."""
    price = np.log(close)
    sigma: Floats = rolling_std(price - lag(price, 1), VOLATILITY_WINDOW) * np.sqrt(horizon)
    return sigma


def forward_direction(close: Floats, settings: LearningSettings) -> Floats:
    """Label of each candle: +1, -1 or 0, shape (n,).

    +1 (-1) where the log return over the next ``label_horizon`` candles is above (below) ``label_sigmas`` of its
    standard deviation, which is measured on the past week. NaN for the last ``label_horizon`` candles, whose future
    is not in the data, and while the volatility lacks history: such rows train nothing.
    """
    price, horizon = np.log(close), settings.label_horizon
    ahead = np.full(len(close), np.nan)
    ahead[: len(close) - horizon] = price[horizon:] - price[: len(close) - horizon]
    bound = settings.label_sigmas * _sigma(close, horizon)
    with np.errstate(invalid="ignore"):
        label = np.where(ahead > bound, 1.0, np.where(ahead < -bound, -1.0, 0.0))
    return np.where(np.isfinite(ahead) & np.isfinite(bound), label, np.nan)
