"""Features of a signal from the reference pair (BTC) at the same candle: its state, correlation, relative strength.

Spec 003 names the correlation with BTC over 20 and 60 periods and the relative strength against it.
"""

from __future__ import annotations

import numpy as np

from coordinator.signals.pair_view import PairView
from coordinator.signals.series import lag, rolling_correlation, rolling_std, safe_divide
from coordinator.types import Floats

__all__ = ["REFERENCE_FEATURES", "reference_features"]

STATE = ("return_4", "return_24", "return_72", "trend_ma_gap", "sma_168_gap")  # oriented
LEVEL = ("adx_14", "volatility_ratio", "volatility_day")
CORRELATIONS = (20, 60)  # candles, spec 003
STRENGTHS = (24, 168)  # candles
SIGMA_WINDOW = 72

REFERENCE_FEATURES = (
    *(f"btc_{name}" for name in ("score", *STATE, *LEVEL)),
    *(f"btc_correlation_{n}" for n in CORRELATIONS),
    *(f"relative_strength_{n}" for n in STRENGTHS),
)


def reference_features(view: PairView, reference: PairView | None) -> dict[str, Floats]:
    """State of the reference, and how the pair moved beside it; each of shape (n_signals,).

    The reference's candle of the same open time is used: where it lacks one, and without a reference, all are NaN.
    ``relative_strength_n`` is the pair's log return over n candles less the reference's, in the pair's own standard
    deviations, oriented. For the reference itself correlations are 1 and strengths 0.
    """
    if reference is None or not len(reference.candles):
        nothing = np.full(len(view.index), np.nan)
        return dict.fromkeys(REFERENCE_FEATURES, nothing)
    at = np.searchsorted(reference.candles.time, view.candles.time)
    at = np.minimum(at, len(reference.candles) - 1)
    same = reference.candles.time[at] == view.candles.time

    def at_pair_candles(values: Floats) -> Floats:
        return np.where(same, values[at], np.nan)

    index, d = view.index, view.direction
    out = {"btc_score": d * at_pair_candles(reference.technical.score)[index]}
    out |= {f"btc_{name}": d * at_pair_candles(reference.features[name])[index] for name in STATE}
    out |= {f"btc_{name}": at_pair_candles(reference.features[name])[index] for name in LEVEL}
    own, other = np.log(view.candles.close), np.log(reference.candles.close)
    own_return, other_return = own - lag(own, 1), at_pair_candles(other - lag(other, 1))
    for n in CORRELATIONS:
        out[f"btc_correlation_{n}"] = rolling_correlation(own_return, other_return, n)[index]
    sigma = rolling_std(own_return, SIGMA_WINDOW)
    for n in STRENGTHS:
        ahead = (own - lag(own, n)) - at_pair_candles(other - lag(other, n))
        out[f"relative_strength_{n}"] = d * safe_divide(ahead, sigma * np.sqrt(n))[index]
    return out
