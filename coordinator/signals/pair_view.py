"""All that is known of one pair at each of its candles: what the features of its signals are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coordinator.settings import Settings
from coordinator.signals.candles import Candles
from coordinator.signals.features import compute_features
from coordinator.signals.fusion import Fusion, fuse, timeframe_views
from coordinator.signals.regime import Regime, compute_regime
from coordinator.signals.technical import Technical
from coordinator.types import Floats, Ints

__all__ = ["PairView", "make_pair_view"]


@dataclass(frozen=True)
class PairView:
    """A pair's candles and what the signals house made of them.

    Attributes
    ----------
    candles : Candles
        Of the strategy's timeframe.
    technical, fusion, regime
        Computed from them; arrays of shape (n_candles,).
    higher : mapping of timeframe to (candles, technical)
        May lack timeframes: their features are NaN.
    stop_distance, target_distance : ndarray of shape (n_candles,)
        Ratios of the price; read at the signals only.
    """

    candles: Candles
    technical: Technical
    fusion: Fusion
    regime: Regime
    higher: Mapping[str, tuple[Candles, Technical]]
    stop_distance: Floats
    target_distance: Floats

    @cached_property
    def features(self) -> dict[str, Floats]:
        """The 31 features of every candle by name, each of shape (n_candles,)."""
        return compute_features(self.candles)

    @cached_property
    def index(self) -> Ints:
        """Candles with a signal, shape (n_signals,)."""
        return np.flatnonzero(self.technical.signal).astype(np.int64)

    @cached_property
    def direction(self) -> Ints:
        """+1 or -1 of each signal, shape (n_signals,)."""
        return self.technical.signal[self.index]


def make_pair_view(
    candles: Candles,
    technical: Technical,
    higher: Mapping[str, Candles],
    stop_distance: Floats,
    target_distance: Floats,
    settings: Settings,
) -> PairView:
    """The view of one pair.

    Parameters
    ----------
    technical : Technical
        The baseline at ``candles``, on its clock: the caller has it already, as stops follow from its signals.
    higher : mapping of "4h" and "1d" to the same pair's candles
        May be empty ones.
    stop_distance, target_distance : ndarray of shape (n_candles,)
        From coordinator/trade; ratios of the price, read at the signals only.
    """
    views = timeframe_views(candles, technical, higher, settings.baseline)
    return PairView(
        candles=candles,
        technical=technical,
        fusion=fuse(candles, views, settings.fusion),
        regime=compute_regime(candles, settings.regime),
        higher={name: view for name, view in views.items() if name != "1h"},
        stop_distance=stop_distance,
        target_distance=target_distance,
    )
