"""Features of a signal from its own pair: the 31 of every candle, and what the signal itself says.

"Oriented" means multiplied by the signal's direction, so that one model learns from longs and shorts alike: a positive
oriented return ran in the signal's direction.
"""

from __future__ import annotations

import numpy as np

from coordinator.signals.features import FEATURES
from coordinator.signals.pair_view import PairView
from coordinator.signals.regime import REGIMES
from coordinator.signals.series import safe_divide
from coordinator.signals.tactics import TACTICS
from coordinator.types import Floats

__all__ = ["CANDLE_FEATURES", "SIGNAL_OWN_FEATURES", "UNORIENTED", "candle_features", "signal_own_features"]

UNORIENTED = frozenset(
    {
        *("adx_14", "atr_percentile", "volatility_ratio", "volatility_day", "bollinger_width"),
        *("volume_ratio", "volume_ratio_week", "range", "hour_sine", "hour_cosine"),
    }
)
"""Features of a candle that say how much, not which way."""

CANDLE_FEATURES = FEATURES

SIGNAL_OWN_FEATURES = (
    *("direction", "confidence", "score", "baseline_direction", "triggers"),
    *(f"view_{name}" for name in TACTICS),
    *("fusion_score", "fusion_confidence", "regime_trend", "regime_surge", "volatility_level"),
    *("stop_atr", "stop_ratio", "reward_risk", "weekday_sine", "weekday_cosine"),
)


def candle_features(view: PairView) -> dict[str, Floats]:
    """The 31 features at the signals, oriented where they say which way; each of shape (n_signals,)."""
    index, d = view.index, view.direction
    return {name: values[index] * (1 if name in UNORIENTED else d) for name, values in view.features.items()}


def signal_own_features(view: PairView) -> dict[str, Floats]:
    """What the baseline, its tactics, the fusion, the regime, the stop and the calendar say at each signal.

    Returns
    -------
    dict of str to ndarray of shape (n_signals,)
        ``view_*`` is the tactic's direction times confidence, oriented; ``stop_atr`` is in ATRs, ``stop_ratio`` in
        percent of the price, ``regime_trend`` +1 where a bull or bear regime favours the signal.
    """
    index, d, technical = view.index, view.direction, view.technical
    regime = view.regime.regime[index]
    trend = (regime == REGIMES.index("bull")).astype(float) - (regime == REGIMES.index("bear"))
    surge = (regime == REGIMES.index("high_vol")).astype(float) - (regime == REGIMES.index("low_vol"))
    stop, target = view.stop_distance[index], view.target_distance[index]
    atr = technical.indicators.atr[index] / view.candles.close[index]
    phase = 2 * np.pi * ((view.candles.time[index] // 86400) % 7) / 7
    return {
        "direction": d.astype(float),
        "confidence": technical.signal_confidence[index],
        "score": d * technical.score[index],
        "baseline_direction": (d * technical.direction[index]).astype(float),
        "triggers": technical.triggers[:, index].sum(axis=0).astype(float),
        **{
            f"view_{name}": d * tactic.direction[index] * tactic.confidence[index]
            for name, tactic in technical.tactics.items()
        },
        "fusion_score": d * view.fusion.score[index],
        "fusion_confidence": view.fusion.confidence[index],
        "regime_trend": d * trend,
        "regime_surge": surge,
        "volatility_level": view.regime.level[index].astype(float),
        "stop_atr": safe_divide(stop, atr),
        "stop_ratio": 100.0 * stop,
        "reward_risk": safe_divide(target, stop),
        "weekday_sine": np.sin(phase),
        "weekday_cosine": np.cos(phase),
    }
