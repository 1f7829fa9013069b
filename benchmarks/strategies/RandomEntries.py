"""A control: the baseline's exits, stops and sizes, entered at random candles."""

import zlib
from dataclasses import replace

import numpy as np

from coordinator.adapters.strategy import CoordinatorStrategy
from coordinator.run.pair_analysis import analyse, analyse_signals
from coordinator.trade.signal_exits import signal_exits


class RandomEntries(CoordinatorStrategy):
    """As many longs per pair as the config's ``random_entries`` says, at candles at which none would leave at once.

    ``{"seed": 0, "signals": {"BTC/USDT": 12, ...}, "from": "2021-07-01"}``
    """

    def _analyse(self, pair, settings):
        candles, higher, market = self._inputs[pair]
        self._analysed_with = settings.baseline, settings.stops
        known = analyse(pair, candles, higher, settings, False, market)
        asked = self.config["random_entries"]
        rng = np.random.default_rng([asked["seed"], zlib.crc32(pair.encode())])
        stays = ~signal_exits(candles, known.technical, settings).long
        begins = np.datetime64(asked["from"], "s").astype(np.int64)
        places = np.flatnonzero(
            stays & (candles.time >= begins) & np.isfinite(known.technical.indicators.atr)
        )
        chosen = rng.choice(places, min(len(places), asked["signals"].get(pair, 0)), replace=False)
        signal = np.zeros(len(candles), dtype=np.int64)
        signal[chosen] = 1
        technical = replace(
            known.technical,
            signal=signal,
            signal_confidence=np.where(signal > 0, rng.uniform(0.5, 1.0, len(signal)), 0.0),
            rearmed=np.zeros(len(signal), dtype=bool),
        )
        return [analyse_signals(pair, candles, technical, higher, settings, False, market)]
