"""Features of a signal from the same pair's 4h and 1d candles, closed ones only."""

from __future__ import annotations

import numpy as np

from coordinator.signals.features import compute_features
from coordinator.signals.own_features import UNORIENTED
from coordinator.signals.pair_view import PairView
from coordinator.signals.timeframes import last_closed
from coordinator.types import Floats

__all__ = ["HIGHER_FEATURES", "HIGHER_TIMEFRAMES", "higher_features"]

HIGHER_TIMEFRAMES = ("4h", "1d")
TAKEN = ("return_4", "return_24", "rsi_14", "macd_histogram", "trend_ma_gap", "adx_14", "channel_55")
HIGHER_FEATURES = tuple(
    f"{name}_{timeframe}" for timeframe in HIGHER_TIMEFRAMES for name in ("score", *TAKEN)
)


def higher_features(view: PairView) -> dict[str, Floats]:
    """Baseline score and seven of the 31 features of each higher timeframe, oriented; each of shape (n_signals,).

    A signal sees the last candle of the timeframe that had closed by its own close; NaN where there is none, where
    the timeframe is missing, and while its windows are not full.
    """
    out: dict[str, Floats] = {}
    for timeframe in HIGHER_TIMEFRAMES:
        candles, technical = view.higher.get(timeframe, (None, None))
        if candles is None or technical is None or not len(candles):
            nothing = np.full(len(view.index), np.nan)
            out |= {f"{name}_{timeframe}": nothing for name in ("score", *TAKEN)}
            continue
        rows = last_closed(view.candles, candles)[view.index]
        present, rows = rows >= 0, np.maximum(rows, 0)
        columns = {"score": technical.score, **compute_features(candles)}
        for name in ("score", *TAKEN):
            oriented = columns[name][rows] * (1 if name in UNORIENTED else view.direction)
            out[f"{name}_{timeframe}"] = np.where(present, oriented, np.nan)
    return out
