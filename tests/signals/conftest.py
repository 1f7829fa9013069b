"""Views of made-up pairs for the tests of signal features."""

import numpy as np
import pytest

from coordinator.settings import Settings
from coordinator.settings.trade import CostSettings, TargetSettings
from coordinator.signals.candles import Candles
from coordinator.signals.pair_view import make_pair_view
from coordinator.signals.technical import compute_technical
from coordinator.trade.reward_risk import target_distance
from coordinator.trade.stops import initial_stop_distance

SETTINGS = Settings()


def make_view(frames):
    """A PairView from a pair's frames by timeframe; the higher ones hold closed candles only."""
    candles = Candles.from_frame(frames["1h"], "1h")
    technical = compute_technical(candles, SETTINGS.baseline)
    stop = initial_stop_distance(candles, technical.signal, SETTINGS.stops)
    target = target_distance(stop, technical.signal, TargetSettings(), CostSettings())
    higher = {name: Candles.from_frame(frames[name], name) for name in ("4h", "1d") if name in frames}
    return make_pair_view(candles, technical, higher, stop, target, SETTINGS)


@pytest.fixture(scope="session")
def market_frames(make_walk, make_higher):
    """Hourly, 4h and daily frames of three pairs that share a market; the third is listed later."""
    common = make_walk(1, 6000)
    out = {}
    for number, pair in enumerate(("BTC/USDT", "AAA/USDT", "BBB/USDT")):
        own = make_walk(10 + number, 6000)
        mixed = own.copy()
        for column in ("open", "high", "low", "close"):
            mixed[column] = np.sqrt(own[column] * common[column]) * (1 + number)
        mixed["high"] = mixed[["open", "high", "low", "close"]].max(axis=1)
        mixed["low"] = mixed[["open", "high", "low", "close"]].min(axis=1)
        if number == 2:
            mixed = mixed.iloc[1500:].reset_index(drop=True)
        out[pair] = {"1h": mixed, "4h": make_higher(mixed, "4h"), "1d": make_higher(mixed, "1d")}
    return out


@pytest.fixture(scope="session")
def view_of():
    return make_view


@pytest.fixture(scope="session")
def views(market_frames):
    return {pair: make_view(frames) for pair, frames in market_frames.items()}
