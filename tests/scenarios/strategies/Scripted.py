"""The real strategy on hand-made candles: only what the market *means* is scripted, every order is the strategy's."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.run import pair_analysis
from coordinator.signals.candles import Candles
from coordinator.signals.regime import compute_regime
from coordinator.signals.technical import compute_technical
from coordinator.trade import virtual_trades
from coordinator.trade.stops import initial_stop_distance


class Scripted(CoordinatorStrategy):
    """``script`` maps a pair to its signals, baseline, volatility and volume (see ``tests/scenarios/engine.py``)."""

    script = None

    def _higher(self, pair, timeframe, base):
        return Candles(*(np.zeros(0),) * 6, 14400)

    def populate_indicators(self, dataframe, metadata):
        play = self.script[metadata["pair"]]

        def technical(candles, settings, clock=None):
            found = compute_technical(candles, settings, clock)
            if not len(candles):
                return found
            n = len(candles)  # a bot's frames grow
            volume = replace(found.indicators, volume_ratio=play.volume_ratio[:n])
            return replace(
                found,
                direction=play.baseline[:n],
                signal=play.signal[:n],
                signal_confidence=play.confidence[:n],
                indicators=volume,
            )

        def regime(candles, settings):
            return replace(compute_regime(candles, settings), volatility=play.volatility[: len(candles)])

        def stops(candles, direction, settings, clock=None):
            real = initial_stop_distance(candles, direction, settings, clock)
            return np.where(np.isnan(play.stop[: len(real)]), real, play.stop[: len(real)])

        with (
            patch.object(pair_analysis, "compute_technical", technical),
            patch.object(pair_analysis, "compute_regime", regime),
            patch.object(virtual_trades, "initial_stop_distance", stops),
        ):
            return super().populate_indicators(dataframe, metadata)
