"""The baseline's exits, stops and sizes, entered at random candles."""

import zlib
from dataclasses import replace

import numpy as np

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.run.pair_analysis import PairAnalysis, analyse, analyse_signals
from coordinator.settings import Settings
from coordinator.trade.signal_exits import signal_exits


class RandomEntries(CoordinatorStrategy):
    """As many entries per pair as the config's ``random_entries`` says, at candles at which none would leave at once.

    ``{"seed": 0, "longs": {"BTC/USDT": 12, ...}, "shorts": {...}, "from": "2021-07-01"}``
    """

    def _analyse(self, pair: str, settings: Settings) -> list[PairAnalysis]:
        candles, higher, market = self._inputs[pair]
        self._analysed_with = settings.baseline, settings.stops
        known = analyse(pair, candles, higher, settings, False, market)
        asked = self.config["random_entries"]
        rng = np.random.default_rng([asked["seed"], zlib.crc32(pair.encode())])
        exits = signal_exits(candles, known.technical, settings)
        begins = np.datetime64(asked["from"], "s").astype(np.int64)
        open_to_all = (candles.time >= begins) & np.isfinite(known.technical.indicators.atr)
        signal = np.zeros(len(candles), dtype=np.int64)
        for direction, counts, leaves in ((1, "longs", exits.long), (-1, "shorts", exits.short)):
            places = np.flatnonzero(open_to_all & ~leaves & (signal == 0))
            chosen = rng.choice(places, min(len(places), asked[counts].get(pair, 0)), replace=False)
            signal[chosen] = direction
        technical = replace(
            known.technical,
            signal=signal,
            signal_confidence=np.where(signal != 0, rng.uniform(0.5, 1.0, len(signal)), 0.0),
            rearmed=np.zeros(len(signal), dtype=bool),
        )
        return [analyse_signals(pair, candles, technical, higher, settings, False, market)]
